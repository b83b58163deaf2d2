import { sql } from 'drizzle-orm';
import { GraphQLError, type GraphQLScalarType } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { transaction } from '../../../src/database/transaction.ts';
import { errorCodes, FunesError } from '../../../src/errors.ts';
import { localViewer } from '../../../src/viewer.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { type Resolvers, schemaOf, serveSchema } from './served-schema.ts';

const secret = 'the memory of user 7';

const thrown: Resolvers = {
  funes: (_, { code }) => {
    throw new FunesError(code, `A message for people about ${code}.`, { cause: new Error(secret) });
  },
  bug: () => {
    throw new TypeError(`Cannot read ${secret}`);
  },
  text: () => {
    throw secret;
  },
  aggregate: () => Promise.any([Promise.reject(new FunesError('NOT_FOUND', 'There is no memory 5.'))]),
  withCause: () => {
    throw new Error(secret, { cause: new FunesError('CONFLICT', 'Somebody was faster.') });
  },
  loop: () => {
    const error = new Error(secret);
    error.cause = error;
    throw error;
  },
  hostile: () => {
    const fail = () => {
      throw new Error(secret);
    };
    throw Object.defineProperties(new Error('x'), {
      cause: { get: fail },
      code: { get: fail },
    });
  },
  coded: () => {
    throw new GraphQLError('Ask the librarian.', {
      extensions: { code: 'FORBIDDEN', http: { status: 403 } },
    });
  },
  uncoded: () => {
    throw new GraphQLError(secret);
  },
  wrongType: () => secret,
  nothing: () => null,
  deep: () => {
    const down = (): number => down() + 1;
    return down();
  },
  many: () => Array.from({ length: 40 }, () => ({})),
  echo: (_, { value }) => value,
  checked: (_, { value }) => value,
};

const sdl = `
  scalar Checked
  enum Code { ${errorCodes.join(' ')} }
  type Item { fails: Int }
  type Query {
    funes(code: Code!): Int
    bug: Int
    text: Int
    aggregate: Int
    withCause: Int
    loop: Int
    hostile: Int
    coded: Int
    uncoded: Int
    wrongType: Int
    nothing: Int!
    deep: Int
    many: [Item!]!
    echo(value: Int!): Int
    checked(value: Checked): String
    database(statement: String!): Int
  }
`;

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

const shared = new Error(secret);

function start(level: 'info' | 'debug' = 'info') {
  const schema = schemaOf(sdl, {
    ...thrown,
    database: (_, { statement }) =>
      transaction(database.pool, localViewer, { access: 'write' }, async (tx) => {
        await tx.execute(sql.raw(statement));
        return 1;
      }),
  });
  const checked = schema.getType('Checked') as GraphQLScalarType;
  checked.parseValue = (value) => {
    if (value === 'large') throw new FunesError('LIMIT_EXCEEDED', 'It is too large.');
    return value;
  };
  const items = schema.getType('Item') as unknown as {
    getFields(): Record<string, { resolve: () => never }>;
  };
  const field = items.getFields().fails;
  if (field) {
    field.resolve = () => {
      throw shared;
    };
  }
  return serveSchema({ schema, level });
}

/** Returns the only error of an answer. Expects nothing in it except message, locations, path and code. */
async function theError(query: string, variables?: Record<string, unknown>) {
  const server = await start();
  const answer = await server.graphql(query, variables);
  expect(answer.errors).toHaveLength(1);
  const [error] = answer.errors ?? [];
  if (error === undefined) throw new Error('unreachable');
  expect(['message', 'locations', 'path', 'extensions']).toEqual(expect.arrayContaining(Object.keys(error)));
  expect(['code', 'id', 'requestId']).toEqual(expect.arrayContaining(Object.keys(error.extensions)));
  expect(answer.text).not.toContain(secret);
  expect(JSON.stringify(server.log)).not.toContain(secret);
  return { ...error, code: error.extensions.code, status: answer.status, log: server.log };
}

describe('errors written for clients', () => {
  test.each(errorCodes.filter((code) => code !== 'INTERNAL_SERVER_ERROR'))(
    '%s arrives with its message',
    async (code) => {
      const error = await theError('query ($code: Code!) { funes(code: $code) }', { code });
      expect(error).toMatchObject({
        code,
        message: `A message for people about ${code}.`,
        path: ['funes'],
        status: 200,
      });
    },
  );

  test.each([
    ['aggregate', 'NOT_FOUND', 'There is no memory 5.'],
    ['withCause', 'CONFLICT', 'Somebody was faster.'],
    ['coded', 'FORBIDDEN', 'Ask the librarian.'],
  ])('one is found within %s', async (field, code, message) => {
    expect(await theError(`{ ${field} }`)).toMatchObject({ code, message });
  });
});

describe('errors of the server', () => {
  test.each(['bug', 'text', 'loop', 'hostile', 'uncoded', 'wrongType', 'nothing'])(
    '%s is answered with a fixed sentence and an id that the log has',
    async (field) => {
      const error = await theError(`{ ${field} }`);
      const { id } = error.extensions;
      expect(error.code).toBe('INTERNAL_SERVER_ERROR');
      expect(error.message).toBe(`The server failed on this request. Look for the id ${id} in its log.`);
      expect(error.log.filter((line) => line.level === 'error')).toMatchObject([{ errorId: id }]);
    },
  );

  test('FunesError INTERNAL_SERVER_ERROR keeps its message for the log', async () => {
    const error = await theError('{ funes(code: INTERNAL_SERVER_ERROR) }');
    expect(error.message).toMatch(/^The server failed on this request/);
  });

  test('the log names kind and place, and the message only at level debug', async () => {
    const server = await start('debug');
    const { errors } = await server.graphql('{ bug }');
    const [failed, detail] = server.log.filter((line) => line.errorId === errors?.[0]?.extensions.id);
    expect(failed).toMatchObject({ level: 'error', err: { name: 'TypeError' } });
    expect(JSON.stringify(failed)).toContain('graphql-errors.test.ts');
    expect(JSON.stringify(failed)).not.toContain(secret);
    expect(detail).toMatchObject({
      level: 'debug',
      detail: expect.stringContaining(`Cannot read ${secret}`),
    });
  });

  test('an error that many fields meet has one id and one line in the log', async () => {
    const server = await start();
    const { errors } = await server.graphql('{ many { fails } }');
    expect(errors).toHaveLength(40);
    expect(new Set(errors?.map((error) => error.extensions.id)).size).toBe(1);
    expect(server.log.filter((line) => line.level === 'error')).toHaveLength(1);
  });
});

describe('errors of the database', () => {
  test.each([
    [`select 1/0 as "${secret}"`, 'BAD_USER_INPUT'],
    [`insert into memories (user_id, content) values ('a', '')`, 'BAD_USER_INPUT'],
    [`select '[1,2]'::vector(3) as "${secret}"`, 'BAD_USER_INPUT'],
    [`select * from "${secret}"`, 'INTERNAL_SERVER_ERROR'],
    [`selekt '${secret}'`, 'INTERNAL_SERVER_ERROR'],
  ])('%s gives %s without SQL or values', async (statement, code) => {
    const error = await theError('query ($statement: String!) { database(statement: $statement) }', {
      statement,
    });
    expect(error.code).toBe(code);
    expect(error.message).not.toMatch(/select|insert|Failed query|params/i);
    expect(JSON.stringify(error.log)).not.toMatch(/select|insert|Failed query|params/i);
  });
});

describe('requests that graphql refuses', () => {
  test.each([
    ['a syntax error', '{ echo(', 'Syntax Error: Expected Name, found <EOF>.'],
    ['an unknown field', '{ ecco }', 'Cannot query field "ecco" on type "Query". Did you mean "echo"?'],
    ['a literal of the wrong type', '{ echo(value: "x") }', 'Int cannot represent non-integer value: "x"'],
    [
      'a missing argument',
      '{ echo }',
      'Field "echo" argument "value" of type "Int!" is required, but it was not provided.',
    ],
    ['no operation of that kind', 'fragment F on Query { bug }', 'Fragment "F" is never used.'],
    ['no query', '', 'GraphQL operations must contain a non-empty `query` or a `persistedQuery` extension.'],
  ])('%s is BAD_USER_INPUT with status 400', async (_, query, message) => {
    expect(await theError(query)).toMatchObject({ code: 'BAD_USER_INPUT', message, status: 400 });
  });

  test.each([
    [
      'a variable of the wrong type',
      { value: 'x' },
      'Variable "$value" got invalid value "x"; Int cannot represent non-integer value: "x"',
    ],
    ['a missing variable', {}, 'Variable "$value" of required type "Int!" was not provided.'],
  ])('%s is BAD_USER_INPUT with status 400', async (_, variables, message) => {
    const error = await theError('query ($value: Int!) { echo(value: $value) }', variables);
    expect(error).toMatchObject({ code: 'BAD_USER_INPUT', message, status: 400 });
  });

  test('a variable that turns out null where an argument needs a value is BAD_USER_INPUT', async () => {
    const error = await theError('query ($value: Int = 1) { echo(value: $value) }', { value: null });
    expect(error).toMatchObject({
      code: 'BAD_USER_INPUT',
      message: 'Argument "value" of non-null type "Int!" must not be null.',
    });
  });

  test('more wrong variables than graphql lists are BAD_USER_INPUT, the sentence that says so too', async () => {
    const names = Array.from({ length: 60 }, (_, i) => `v${i}`);
    const server = await start();
    const { status, errors, text } = await server.graphql(
      `query (${names.map((name) => `$${name}: Int!`).join(' ')}) { ${names.map((name) => `${name}: echo(value: $${name})`).join(' ')} }`,
      Object.fromEntries(names.map((name) => [name, 'x'])),
    );
    expect(status).toBe(400);
    expect(errors?.length).toBeLessThan(60);
    expect(errors?.at(-1)?.message).toMatch(/^Too many errors processing variables/);
    expect(new Set(errors?.map(({ extensions }) => extensions.code))).toEqual(new Set(['BAD_USER_INPUT']));
    expect(text).not.toContain(secret);
  });

  test('a scalar that refuses a variable keeps its code, and the message says which variable', async () => {
    const error = await theError('query ($value: Checked) { checked(value: $value) }', { value: 'large' });
    expect(error.code).toBe('LIMIT_EXCEEDED');
    expect(error.message).toBe(
      'Variable "$value" got invalid value "large"; Expected type "Checked". It is too large.',
    );
  });

  test('a refused value of megabytes is cut, and what is wrong with it stays', async () => {
    const error = await theError('query ($value: Int!) { echo(value: $value) }', {
      value: 'x'.repeat(3_000_000),
    });
    expect(error.message.length).toBeLessThan(700);
    expect(error.message).toMatch(/^Variable "\$value" got invalid value "xxx/);
    expect(error.message).toMatch(/characters left out/);
  });

  test('nesting that exhausts the stack is LIMIT_EXCEEDED, in the query and in a resolver', async () => {
    expect(await theError('{a'.repeat(100_000))).toMatchObject({ code: 'LIMIT_EXCEEDED', status: 400 });
    expect(await theError('{ deep }')).toMatchObject({ code: 'LIMIT_EXCEEDED', path: ['deep'] });
  });
});
