-- Hand-written: what the roles of requests may do. src/database/roles.ts makes the roles before any migration runs.

DO $$ BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO funes_app, funes_admin', current_schema());
END $$;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "memories", "memories_archive", "documents", "document_chunks" TO "funes_app", "funes_admin";
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON "tool_embeddings" TO "funes_admin";
--> statement-breakpoint
-- Tools belong to nobody: users read them and count their uses, administrators write them.
GRANT SELECT, UPDATE ("usage_count", "last_used", "updated_at") ON "tool_embeddings" TO "funes_app";
--> statement-breakpoint
-- So that a server whose user owns nothing can see whether migrations are pending.
GRANT USAGE ON SCHEMA "drizzle" TO "funes_admin";
--> statement-breakpoint
GRANT SELECT ON "drizzle"."__drizzle_migrations" TO "funes_admin";
