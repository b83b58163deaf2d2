-- Hand-written: who may do what with keys. Requests of users have no right to the table at all.

GRANT SELECT, INSERT, UPDATE ON "api_keys" TO "funes_admin";
--> statement-breakpoint
-- A key is looked up before there is a user, so before any policy lets a row through. This function is the one way in: you must
-- have the hash of a key to learn whose it is. It runs as the owner of the table. PostgreSQL binds the names in its body when
-- the function is made, so no search_path of a session can lead it to another table.
CREATE FUNCTION "funes_key"("hash" text)
  RETURNS TABLE ("id" bigint, "user_id" varchar, "role" varchar, "expires_at" timestamptz)
  LANGUAGE sql STABLE SECURITY DEFINER PARALLEL RESTRICTED
BEGIN ATOMIC
  SELECT "k"."id", "k"."user_id", "k"."role", "k"."expires_at"
  FROM "api_keys" AS "k"
  WHERE "k"."hash" = "funes_key"."hash"
    AND "k"."revoked_at" IS NULL
    AND ("k"."expires_at" IS NULL OR "k"."expires_at" > statement_timestamp());
END;
--> statement-breakpoint
REVOKE EXECUTE ON FUNCTION "funes_key"(text) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION "funes_key"(text) TO "funes_app", "funes_admin";
