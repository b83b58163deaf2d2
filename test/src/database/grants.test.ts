import { afterAll, beforeAll, expect, test } from 'vitest';
import { closedFunctions, grantStatements, grants } from '../../../src/database/grants.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { rows, sendAll } from '../../support/owned-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
});
afterAll(() => database.close());

/** What the catalog says that the roles of requests may do, a line a right, and which functions are not everybody's. */
async function readRights(): Promise<string[]> {
  const found = await rows<{ right: string }>(
    database.pool,
    `with rights as (
      select 'schema ' || case when nspname = current_schema() then '' else nspname end as thing, acl.*
        from pg_namespace, aclexplode(nspacl) acl
      union all
      select 'table ' || relname, acl.* from pg_class, aclexplode(relacl) acl
      union all
      select 'column ' || relname || '.' || attname, acl.*
        from pg_attribute join pg_class c on c.oid = attrelid, aclexplode(attacl) acl
      union all
      select 'function ' || p.oid::regprocedure, acl.*
        from pg_proc p, aclexplode(proacl) acl
      union all
      select 'type ' || typname, acl.* from pg_type, aclexplode(typacl) acl
      union all
      select 'database', acl.* from pg_database, aclexplode(datacl) acl where datname = current_database()
      union all
      select 'by default', acl.* from pg_default_acl, aclexplode(defaclacl) acl
    )
    select lower(privilege_type) || ' on ' || thing || ' to ' || rolname as right
      from rights join pg_roles role on role.oid = grantee where rolname in ('funes_app', 'funes_admin')
    union all
    select 'nobody else on function ' || oid::regprocedure
      from pg_proc where pronamespace = current_schema()::regnamespace
        and not has_function_privilege('public', oid, 'execute')`,
  );
  return found.map(({ right }) => right).sort();
}

/** The same lines, of the list in code. */
function listedRights(): string[] {
  const bare = (name: string) => name.replace(/^drizzle\./, '');
  const listed = grants.flatMap(({ privileges, columns, on, name, to }) =>
    privileges.flatMap((privilege) =>
      to.flatMap((role) => {
        const thing = bare(name ?? '');
        return columns === undefined
          ? [`${privilege} on ${on} ${thing} to ${role}`]
          : columns.map((column) => `${privilege} on column ${thing}.${column} to ${role}`);
      }),
    ),
  );
  const closed = closedFunctions.map((name) => `nobody else on function ${name}`);
  return [...listed, ...closed].sort();
}

test('the list in code is what the migrations grant, and nothing else', async () => {
  expect(await readRights()).toEqual(listedRights());
});

test('its statements restore all rights after a restore without any, and can run again', async () => {
  await send(
    'revoke all on all tables in schema public from funes_app, funes_admin',
    'revoke all on all functions in schema public from funes_app, funes_admin',
    'revoke all on schema public from funes_app, funes_admin',
    'revoke all on all tables in schema drizzle from funes_admin',
    'revoke all on schema drizzle from funes_admin',
    ...closedFunctions.map((name) => `grant execute on function ${name} to public`),
  );
  expect(await readRights()).toEqual([]);
  for (let time = 0; time < 2; time++) {
    await send(...grantStatements('public'));
    expect(await readRights()).toEqual(listedRights());
  }
});

const send = (...statements: string[]): Promise<void> => sendAll(database.pool, statements);
