import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { join, resolve } from 'node:path';
import { type OutputChunk, type Plugin, rolldown } from 'rolldown';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import { copyOnnxRuntime, platforms, thisPlatform } from './onnxruntime.ts';
import { bundledPackages, programs } from './programs.ts';

// `npm run build` makes `dist`, from which the package and the container run, for this platform. `npm pack` makes it for all
// platforms, by `--all-platforms`.

const root = resolve(import.meta.dirname, '..');
const dist = join(root, 'dist');
const installed = (name: string) => join(root, 'node_modules', name);
const packageJson = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
};

/** The name of the package that an import names; undefined for a file. */
const packageOf = (id: string) => /^(@[^/]+\/)?[^./\\][^/:]*(?=\/|$)/.exec(id)?.[0];

/** Rolldown has helpers for decorators under this name. */
const decoratorHelpers = '@oxc-project/runtime';
const inlined = [...bundledPackages, decoratorHelpers, 'sharp'];

/** transformers.js, without what reads pictures, and with the ONNX Runtime that stands beside it. */
const transformers: Plugin = {
  name: 'transformers',
  resolveId: (id) => (id === 'sharp' ? '\0sharp' : null),
  load: (id) =>
    id === '\0sharp'
      ? 'export default () => { throw new Error("funes comes without sharp, and reads no pictures."); };'
      : null,
  transform(code, id) {
    if (!/[\\/]transformers\.node\.mjs$/.test(id)) return null;
    const request = 'requireFromHere("onnxruntime-node")';
    if (code.split(request).length !== 2) throw new Error(`${id} was expected to have ${request} once.`);
    return { code: code.replace(request, 'requireFromHere("./onnxruntime-node/dist/index.js")'), map: null };
  },
};

async function buildCode(): Promise<void> {
  const bundle = await rolldown({
    cwd: root,
    input: { ...programs },
    platform: 'node',
    tsconfig: join(root, 'tsconfig.json'),
    external: (id) => {
      const name = packageOf(id);
      return name !== undefined && !inlined.includes(name);
    },
    plugins: [transformers],
    onLog(level, log) {
      if (level === 'warn') throw new Error(log.message);
    },
  });
  // All modules are in one folder, because `src/distribution.ts` looks for others beside itself, and for package.json above.
  const { output } = await bundle.write({
    dir: dist,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    comments: { legal: true },
  });
  await bundle.close();
  refuseUndeclared(output.filter((file) => file.type === 'chunk'));
}

/** Every package that the build imports is installed with it. */
function refuseUndeclared(chunks: readonly OutputChunk[]): void {
  const own = new Set(chunks.map(({ fileName }) => fileName));
  const imports = chunks.flatMap((chunk) => [...chunk.imports, ...chunk.dynamicImports]);
  const undeclared = imports.filter(
    (id) =>
      !own.has(id) &&
      !id.startsWith('node:') &&
      !builtinModules.includes(id) &&
      packageJson.dependencies[packageOf(id) ?? id] === undefined,
  );
  if (undeclared.length > 0) throw new Error(`Not in dependencies: ${[...new Set(undeclared)].join(', ')}`);
}

async function buildTypes(): Promise<void> {
  const bundle = await rollup({
    input: join(root, 'src/index.ts'),
    plugins: [dts({ tsconfig: join(root, 'tsconfig.json') })],
    external: (id) => packageOf(id) !== undefined,
    onwarn: (warning) => {
      throw new Error(warning.message);
    },
  });
  await bundle.write({ file: join(dist, 'index.d.ts'), format: 'es' });
  await bundle.close();
}

/** The licences of the packages whose code is in `dist`. */
async function writeLicenses(): Promise<void> {
  const texts: string[] = [];
  // transformers.js has code of the last two.
  for (const name of [...bundledPackages, '@huggingface/jinja', '@huggingface/tokenizers']) {
    const manifest = JSON.parse(await readFile(join(installed(name), 'package.json'), 'utf8'));
    const text = await readFile(join(installed(name), 'LICENSE'), 'utf8');
    texts.push(`${manifest.name} ${manifest.version}\n\n${text.trim()}\n`);
  }
  await writeFile(join(dist, 'LICENSES.txt'), texts.join(`\n${'-'.repeat(80)}\n\n`));
}

await rm(dist, { recursive: true, force: true });
await mkdir(dist);
await Promise.all([
  buildCode(),
  buildTypes(),
  writeLicenses(),
  cp(join(root, 'src/embedding/onnx.proto'), join(dist, 'onnx.proto')),
  copyOnnxRuntime(
    installed('onnxruntime-node'),
    join(dist, 'onnxruntime-node'),
    process.argv.includes('--all-platforms') ? platforms : [thisPlatform()],
  ),
]);
