CREATE TABLE "api_keys" (
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "api_keys_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"user_id" varchar(100) NOT NULL,
	"role" varchar(10) NOT NULL,
	"prefix" varchar(20) NOT NULL,
	"hash" varchar(64) NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_used_at" timestamp with time zone,
	"expires_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	CONSTRAINT "api_keys_pkey" PRIMARY KEY("id"),
	CONSTRAINT "api_keys_hash" UNIQUE("hash"),
	CONSTRAINT "api_keys_user_id_not_blank" CHECK ("api_keys"."user_id" ~ '[^[:space:]]'),
	CONSTRAINT "api_keys_role" CHECK ("api_keys"."role" in ('admin', 'user', 'reader')),
	CONSTRAINT "api_keys_hash_sha256" CHECK ("api_keys"."hash" ~ '^[0-9a-f]{64}$')
);
--> statement-breakpoint
ALTER TABLE "api_keys" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE INDEX "idx_api_keys_user_id" ON "api_keys" USING btree ("user_id");--> statement-breakpoint
CREATE POLICY "api_keys_of_user" ON "api_keys" AS PERMISSIVE FOR ALL TO "funes_app" USING ("api_keys"."user_id" = (select nullif(current_setting('funes.user', true), ''))) WITH CHECK ("api_keys"."user_id" = (select nullif(current_setting('funes.user', true), '')));--> statement-breakpoint
CREATE POLICY "api_keys_of_all" ON "api_keys" AS PERMISSIVE FOR ALL TO "funes_admin" USING (true) WITH CHECK (true);