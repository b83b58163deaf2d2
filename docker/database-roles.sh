#!/usr/bin/env bash
# Makes the roles of funes in a new database: the owner of its tables, who is no superuser, and the login of the server, which
# owns nothing and only may switch to the roles that requests run as. The PostgreSQL image runs this once, as the superuser,
# while it initialises its folder. It changes nothing that is there, but for the passwords, so it can run again by hand:
#   docker compose exec database bash /docker-entrypoint-initdb.d/database-roles.sh
# It needs PostgreSQL 16 or newer, and POSTGRES_USER, POSTGRES_DB, OWNER_PASSWORD and SERVER_PASSWORD in the environment.
set -euo pipefail

export OWNER=${OWNER:-funes_owner} SERVER=${SERVER:-funes_server}
: "${POSTGRES_USER:?}" "${POSTGRES_DB:?}" "${OWNER_PASSWORD:?}" "${SERVER_PASSWORD:?}"

# psql reads the passwords from the environment: other processes can see the words of a command.
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
\getenv owner OWNER
\getenv server SERVER
\getenv owner_password OWNER_PASSWORD
\getenv server_password SERVER_PASSWORD

SET client_min_messages = warning;

CREATE EXTENSION IF NOT EXISTS vector;

SELECT format('CREATE ROLE %I %s', name, attributes)
FROM (VALUES
  ('funes_app', 'NOLOGIN NOINHERIT'),
  ('funes_admin', 'NOLOGIN NOINHERIT'),
  (:'owner', 'LOGIN'),
  (:'server', 'LOGIN NOINHERIT')
) AS role (name, attributes)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

ALTER ROLE :"owner" PASSWORD :'owner_password';
ALTER ROLE :"server" PASSWORD :'server_password';

GRANT funes_app, funes_admin TO :"owner", :"server" WITH SET TRUE, INHERIT FALSE;

-- The owner of the database may make tables in its schema public, and the schema that notes the migrations.
SELECT format('ALTER DATABASE %I OWNER TO %I', current_database(), :'owner')
\gexec
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

-- What a superuser has migrated before there was an owner. REASSIGN OWNED refuses the superuser of the image.
SELECT format('ALTER SCHEMA drizzle OWNER TO %I', :'owner')
WHERE to_regnamespace('drizzle') IS NOT NULL
UNION ALL
SELECT format('ALTER TABLE %s OWNER TO %I', oid::regclass, :'owner')
FROM pg_class
WHERE relnamespace IN (to_regnamespace('public'), to_regnamespace('drizzle')) AND relkind = 'r'
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')
UNION ALL
SELECT format('ALTER ROUTINE %s OWNER TO %I', oid::regprocedure, :'owner')
FROM pg_proc
WHERE pronamespace = to_regnamespace('public') AND prokind IN ('f', 'p')
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')
\gexec
SQL
