CREATE TABLE "audit" (
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "audit_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"user_id" varchar(100) NOT NULL,
	"action" varchar(20) NOT NULL,
	"by_user_id" varchar(100) NOT NULL,
	"actor" varchar(100),
	"key_prefix" varchar(20),
	"details" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "audit_pkey" PRIMARY KEY("id"),
	CONSTRAINT "audit_action" CHECK ("audit"."action" in ('KEY_CREATED', 'KEY_REVOKED', 'USER_EXPORTED', 'USER_FORGOTTEN'))
);
--> statement-breakpoint
ALTER TABLE "audit" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE INDEX "idx_audit_created_at" ON "audit" USING btree ("created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "idx_audit_user_created" ON "audit" USING btree ("user_id","created_at" DESC NULLS FIRST,"id" DESC NULLS FIRST);--> statement-breakpoint
CREATE POLICY "audit_of_all" ON "audit" AS PERMISSIVE FOR ALL TO "funes_admin" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "audit_of_oneself" ON "audit" AS PERMISSIVE FOR INSERT TO "funes_app" WITH CHECK ("audit"."user_id" = (select nullif(current_setting('funes.user', true), '')) and "audit"."by_user_id" = (select nullif(current_setting('funes.user', true), '')) and "audit"."action" in ('USER_EXPORTED', 'USER_FORGOTTEN'));
--> statement-breakpoint
-- Hand-written: what the roles of requests may do. Nobody may change or delete a line, and nobody may set its id or its time.
GRANT SELECT ON "audit" TO "funes_admin";
--> statement-breakpoint
GRANT INSERT ("user_id", "action", "by_user_id", "actor", "key_prefix", "details") ON "audit" TO "funes_app", "funes_admin";
--> statement-breakpoint
-- For the export and the forgetting of a person. Users reach their own keys only, and the hash of none.
GRANT DELETE ON "api_keys" TO "funes_app", "funes_admin";
--> statement-breakpoint
GRANT SELECT ("id", "user_id", "role", "prefix", "created_at", "last_used_at", "expires_at", "revoked_at") ON "api_keys" TO "funes_app";
