import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { schemaOf, serveSchema } from './served-schema.ts';

const schema = schemaOf('type Query { a: Int }', {});

/** Returns the hashes of the inline scripts of a page, as a browser computes them. */
function inlineScripts(html: string): string[] {
  const start = html.indexOf('<script>') + '<script>'.length;
  const script = html.slice(start, html.lastIndexOf('</script>'));
  return [`'sha256-${createHash('sha256').update(script).digest('base64')}'`];
}

test.each(['/', '/graphiql'])(
  '%s is a page that shows the examples and runs only its own script',
  async (path) => {
    const server = await serveSchema({ schema });
    const response = await fetch(server.url + path);
    const html = await response.text();
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(html).toContain('query First { __typename }');

    const policy = response.headers.get('content-security-policy') ?? '';
    for (const hash of inlineScripts(html)) expect(policy).toContain(hash);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy.match(/script-src[^;]*/)?.[0]).not.toContain('unsafe');
  },
);

test('/graphiql names no other host to load anything from', async () => {
  const server = await serveSchema({ schema });
  const policy = (await fetch(`${server.url}/graphiql`)).headers.get('content-security-policy');
  expect(policy).not.toMatch(/https?:/);
});

test('/graphiql is compressed for clients that can read it, and not sent again to those that have it', async () => {
  const server = await serveSchema({ schema });
  const plain = await fetch(`${server.url}/graphiql`, { headers: { 'accept-encoding': 'identity' } });
  const compressed = await fetch(`${server.url}/graphiql`, { headers: { 'accept-encoding': 'gzip' } });
  expect(plain.headers.get('content-encoding')).toBeNull();
  expect(compressed.headers.get('content-encoding')).toBe('gzip');
  expect(await compressed.text()).toBe(await plain.text());

  const etag = compressed.headers.get('etag') ?? '';
  const again = await fetch(`${server.url}/graphiql`, { headers: { 'if-none-match': etag } });
  expect([again.status, (await again.text()).length]).toEqual([304, 0]);
});

test('a browser that opens /graphql is sent to the page', async () => {
  const server = await serveSchema({ schema });
  const response = await fetch(`${server.url}/graphql`, {
    headers: { accept: 'text/html' },
    redirect: 'manual',
  });
  expect([response.status, response.headers.get('location')]).toEqual([302, './']);
});
