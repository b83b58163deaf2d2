import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** The platforms for which onnxruntime-node has files. */
export const platforms = ['linux/x64', 'linux/arm64', 'darwin/arm64', 'win32/x64', 'win32/arm64'] as const;

export type Platform = (typeof platforms)[number];

/** What computing on the CPU needs. The other libraries are for GPUs, and are loaded only for them. */
const libraries =
  /^(onnxruntime_binding\.node|onnxruntime\.dll|libonnxruntime\.1\.dylib|libonnxruntime\.so\.1)$/;

/** Returns the platform of this machine. */
export function thisPlatform(): Platform {
  const name = `${process.platform}/${process.arch}`;
  const platform = platforms.find((known) => known === name);
  if (platform === undefined) throw new Error(`onnxruntime-node has no files for ${name}.`);
  return platform;
}

/**
 * Copies onnxruntime-node without its install script, which downloads libraries for GPUs from elsewhere than the registry.
 * @param source the installed package.
 */
export async function copyOnnxRuntime(
  source: string,
  destination: string,
  chosen: readonly Platform[],
): Promise<void> {
  const { name, version, license, main } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8'));
  const native = 'bin/napi-v6';
  const files = [
    ...(await readdir(join(source, 'dist')))
      .filter((file) => file.endsWith('.js'))
      .map((file) => join('dist', file)),
    ...(await Promise.all(chosen.map((platform) => librariesOf(source, join(native, platform))))).flat(),
  ];
  for (const file of files) await cp(join(source, file), join(destination, file));
  await writeFile(
    join(destination, 'package.json'),
    `${JSON.stringify({ name, version, license, main, private: true }, null, 2)}\n`,
  );
  await cp(join(import.meta.dirname, 'licenses/onnxruntime.txt'), join(destination, 'LICENSE'));
}

async function librariesOf(source: string, folder: string): Promise<string[]> {
  const files = (await readdir(join(source, folder))).filter((file) => libraries.test(file));
  if (files.length !== 2) {
    throw new Error(
      `${dirname(folder)} of onnxruntime-node has ${files.join(', ')}: one binding and one library were expected.`,
    );
  }
  return files.map((file) => join(folder, file));
}
