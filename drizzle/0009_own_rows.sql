CREATE INDEX "idx_document_chunks_user_share" ON "document_chunks" USING btree ("user_id",hashint8("id"),"content_length");--> statement-breakpoint
CREATE INDEX "idx_memories_user_share" ON "memories" USING btree ("user_id",hashint8("id"),"content_length");--> statement-breakpoint
-- Hand-written from here on. Behind the policy of funes_app, PostgreSQL may evaluate @@ and @> only on rows that the policy has
-- let through, because they are not leakproof. So it cannot read their GIN indexes, and compares every row of the user. These functions
-- run as the owner of the tables, who has no policy, and return ids of the user's own rows. They take no user: they read the
-- setting that the policy reads, and return nothing without it. The caller reads the rows themselves under the policy.
-- They are in plpgsql with custom plans, so that the planner knows the query and how many rows the user has.
DO $migration$
DECLARE
  "made" record;
BEGIN
  FOR "made" IN SELECT * FROM (VALUES
    ('funes_own_memories_with_words', '"sought" tsquery, "containing" jsonb, "most" integer', 'memories',
      '"content_tsv" @@ "sought" AND ("containing" IS NULL OR "metadata" @> "containing")'),
    ('funes_own_chunks_with_words', '"sought" tsquery, "containing" jsonb, "most" integer', 'document_chunks',
      '"content_tsv" @@ "sought" AND ("containing" IS NULL OR "metadata" @> "containing")'),
    ('funes_own_memories_containing', '"sought" jsonb, "most" integer', 'memories', '"metadata" @> "sought"'),
    ('funes_own_documents_containing', '"sought" jsonb, "most" integer', 'documents', '"metadata" @> "sought"'),
    ('funes_own_chunks_containing', '"sought" jsonb, "most" integer', 'document_chunks', '"metadata" @> "sought"')
  ) AS "list" ("name", "parameters", "table", "condition")
  LOOP
    EXECUTE format(
      $create$
        CREATE FUNCTION %1$I.%2$I(%3$s) RETURNS SETOF bigint
        LANGUAGE plpgsql STABLE SECURITY DEFINER PARALLEL RESTRICTED ROWS 100
        SET search_path = %1$I, pg_temp
        SET plan_cache_mode = force_custom_plan
        AS $body$
        BEGIN
          RETURN QUERY SELECT "id" FROM %1$I.%4$I
            WHERE "user_id" = nullif(current_setting('funes.user', true), '') AND %5$s
            LIMIT "most";
        END
        $body$
      $create$,
      current_schema(), "made"."name", "made"."parameters", "made"."table", "made"."condition");
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %I(%s) FROM PUBLIC', "made"."name", "made"."parameters");
    EXECUTE format('GRANT EXECUTE ON FUNCTION %I(%s) TO "funes_app"', "made"."name", "made"."parameters");
  END LOOP;
END
$migration$;
