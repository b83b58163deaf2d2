import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { createLogger, errorDetail } from '../../src/log.ts';

const secret = 'what was remembered';

function logged(write: (logger: ReturnType<typeof createLogger>) => void) {
  const lines: string[] = [];
  write(createLogger({ level: 'debug', stream: { write: (line: string) => void lines.push(line) } }));
  expect(lines).toHaveLength(1);
  return { text: lines[0] ?? '', line: JSON.parse(lines[0] ?? '') };
}

test.each([
  ['as the object', (logger, error) => logger.error(error)],
  ['as err', (logger, error) => logger.error({ err: error })],
  ['as err with a text', (logger, error) => logger.error({ err: error }, 'It failed.')],
] as [string, (logger: ReturnType<typeof createLogger>, error: Error) => void][])(
  'an error given %s is logged with kind, codes and stack, and without any message',
  (_, write) => {
    const cause = Object.assign(new Error(`Key (content)=(${secret}) exists`), {
      name: 'PostgresError',
      code: '23505',
      constraint_name: 'memories_idempotency_key',
      detail: secret,
      query: secret,
    });
    const { text, line } = logged((logger) =>
      write(logger, new Error(`Failed query: ${secret}\n    at ${secret}`, { cause })),
    );
    expect(text).not.toContain(secret);
    expect(line.err).toMatchObject({
      name: 'Error',
      cause: { name: 'PostgresError', code: '23505', constraint: 'memories_idempotency_key' },
    });
    expect(line.err.stack[0]).toContain('log.test.ts');
    expect(line.msg).not.toBe('');
  },
);

test('an error whose message was changed after its stack was made is logged without the first message', () => {
  const error = new Error(`Failed query: ${secret}\n    at ${secret} (/src/x.ts:1:1)`);
  expect(error.stack).toContain(secret);
  error.message = 'It failed.';
  const { line, text } = logged((logger) => logger.error({ err: error }, 'It failed.'));
  expect(text).not.toContain(secret);
  expect(line.err).toEqual({ name: 'Error', stack: [] });
});

test('a name, code or constraint that is a text is not logged', () => {
  const fields = { name: `${secret} of all`, code: `select '${secret}'`, constraint_name: `the ${secret}` };
  const { line, text } = logged((logger) =>
    logger.error({ err: Object.assign(new Error('x'), fields) }, 'It failed.'),
  );
  expect(text).not.toContain(secret);
  expect(line.err).toEqual({ name: 'Error', stack: expect.any(Array) });
});

test('a loop of causes ends', () => {
  const error = new Error(secret);
  error.cause = error;
  expect(logged((logger) => logger.error({ err: error })).text.length).toBeLessThan(20_000);
  expect(errorDetail(error).length).toBeLessThan(50_000);
});

test('what is thrown and is no error is logged by its type', () => {
  expect(logged((logger) => logger.error({ err: secret }, 'It failed.')).line.err).toEqual({
    name: 'string',
  });
});

test('the detail for level debug has the messages of an error and of its causes', () => {
  const detail = errorDetail(new Error('outer', { cause: new TypeError(secret) }));
  expect(detail).toContain('Error: outer');
  expect(detail).toContain(`caused by TypeError: ${secret}`);
});

test('lines below the level are not written', () => {
  const lines: string[] = [];
  const logger = createLogger({ level: 'warn', stream: { write: (line: string) => void lines.push(line) } });
  logger.info('quiet');
  logger.warn('loud');
  expect(lines).toHaveLength(1);
});

test.each([
  ['the program exits', 'process.exit(0)'],
  ['the program ends', ''],
])('what was logged just before %s is written', async (_, end) => {
  const program = `
    import { createLogger } from ${JSON.stringify(new URL('../../src/log.ts', import.meta.url).href)};
    const logger = createLogger({ level: 'info' });
    for (let i = 0; i < 500; i++) logger.info({ i }, 'line');
    ${end};`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...['--import', 'tsx', '--input-type=module', '--eval', program],
  ]);
  const lines = stdout.trim().split('\n');
  expect(lines).toHaveLength(500);
  expect(JSON.parse(lines[499] ?? '')).toMatchObject({ level: 'info', i: 499, msg: 'line' });
});
