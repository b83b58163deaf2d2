CREATE TABLE "installation" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"database_id" uuid DEFAULT gen_random_uuid() NOT NULL,
	"embedding_model" varchar(200),
	"next_embedding_model" varchar(200),
	CONSTRAINT "installation_one_row" CHECK ("installation"."only")
);
--> statement-breakpoint
ALTER TABLE "document_chunks" ADD COLUMN "embedding_source" varchar(10) DEFAULT 'FUNES' NOT NULL;--> statement-breakpoint
ALTER TABLE "document_chunks" ADD COLUMN "embedding_error" text;--> statement-breakpoint
ALTER TABLE "document_chunks" ADD COLUMN "embedding_attempts" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "document_chunks" ADD COLUMN "embedding_retry_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "document_chunks" ADD COLUMN "next_embedding" vector(384);--> statement-breakpoint
ALTER TABLE "document_chunks" ADD COLUMN "next_embedding_model" varchar(200);--> statement-breakpoint
ALTER TABLE "documents" ADD COLUMN "created_at" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "documents" ADD COLUMN "origin" varchar(200);--> statement-breakpoint
ALTER TABLE "memories" ADD COLUMN "embedding_source" varchar(10) DEFAULT 'FUNES' NOT NULL;--> statement-breakpoint
ALTER TABLE "memories" ADD COLUMN "embedding_error" text;--> statement-breakpoint
ALTER TABLE "memories" ADD COLUMN "embedding_attempts" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "memories" ADD COLUMN "embedding_retry_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "memories" ADD COLUMN "next_embedding" vector(384);--> statement-breakpoint
ALTER TABLE "memories" ADD COLUMN "next_embedding_model" varchar(200);--> statement-breakpoint
ALTER TABLE "memories" ADD COLUMN "idempotency_fields" jsonb;--> statement-breakpoint
ALTER TABLE "memories" ADD COLUMN "origin" varchar(200);--> statement-breakpoint
ALTER TABLE "memories_archive" ADD COLUMN "embedding_source" varchar(10) DEFAULT 'FUNES' NOT NULL;--> statement-breakpoint
ALTER TABLE "memories_archive" ADD COLUMN "embedding_error" text;--> statement-breakpoint
ALTER TABLE "memories_archive" ADD COLUMN "embedding_attempts" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "memories_archive" ADD COLUMN "embedding_retry_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "memories_archive" ADD COLUMN "next_embedding" vector(384);--> statement-breakpoint
ALTER TABLE "memories_archive" ADD COLUMN "next_embedding_model" varchar(200);--> statement-breakpoint
ALTER TABLE "memories_archive" ADD COLUMN "idempotency_fields" jsonb;--> statement-breakpoint
ALTER TABLE "memories_archive" ADD COLUMN "origin" varchar(200);--> statement-breakpoint
ALTER TABLE "tool_embeddings" ADD COLUMN "embedding_source" varchar(10) DEFAULT 'FUNES' NOT NULL;--> statement-breakpoint
ALTER TABLE "tool_embeddings" ADD COLUMN "embedding_error" text;--> statement-breakpoint
ALTER TABLE "tool_embeddings" ADD COLUMN "embedding_attempts" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "tool_embeddings" ADD COLUMN "embedding_retry_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "tool_embeddings" ADD COLUMN "next_embedding" vector(384);--> statement-breakpoint
ALTER TABLE "tool_embeddings" ADD COLUMN "next_embedding_model" varchar(200);--> statement-breakpoint
CREATE INDEX "idx_document_chunks_next_embedding_hnsw" ON "document_chunks" USING hnsw ("next_embedding" vector_cosine_ops) WITH (m=16,ef_construction=64);--> statement-breakpoint
CREATE UNIQUE INDEX "documents_user_origin" ON "documents" USING btree ("user_id","origin") WHERE "documents"."origin" is not null;--> statement-breakpoint
CREATE INDEX "idx_documents_user_created" ON "documents" USING btree ("user_id","created_at" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "idx_documents_user_file_path" ON "documents" USING btree ("user_id","file_path") WHERE "documents"."file_path" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "memories_user_origin" ON "memories" USING btree ("user_id","origin") WHERE "memories"."origin" is not null;--> statement-breakpoint
CREATE INDEX "idx_memories_next_embedding_hnsw" ON "memories" USING hnsw ("next_embedding" vector_cosine_ops) WITH (m=16,ef_construction=64);--> statement-breakpoint
CREATE INDEX "idx_memories_archive_user_idempotency_key" ON "memories_archive" USING btree ("user_id","idempotency_key") WHERE "memories_archive"."idempotency_key" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "memories_archive_user_origin" ON "memories_archive" USING btree ("user_id","origin") WHERE "memories_archive"."origin" is not null;--> statement-breakpoint
CREATE INDEX "idx_tool_embeddings_next_hnsw" ON "tool_embeddings" USING hnsw ("next_embedding" vector_cosine_ops) WITH (m=16,ef_construction=64);--> statement-breakpoint
ALTER TABLE "document_chunks" ADD CONSTRAINT "document_chunks_embedding_source" CHECK ("document_chunks"."embedding_source" in ('FUNES', 'CLIENT'));--> statement-breakpoint
ALTER TABLE "document_chunks" ADD CONSTRAINT "document_chunks_embedding_error" CHECK ("document_chunks"."embedding_error" is null or "document_chunks"."embedding" is null);--> statement-breakpoint
ALTER TABLE "document_chunks" ADD CONSTRAINT "document_chunks_next_embedding_has_model" CHECK (("document_chunks"."next_embedding" is null) = ("document_chunks"."next_embedding_model" is null));--> statement-breakpoint
ALTER TABLE "memories" ADD CONSTRAINT "memories_embedding_source" CHECK ("memories"."embedding_source" in ('FUNES', 'CLIENT'));--> statement-breakpoint
ALTER TABLE "memories" ADD CONSTRAINT "memories_embedding_error" CHECK ("memories"."embedding_error" is null or "memories"."embedding" is null);--> statement-breakpoint
ALTER TABLE "memories" ADD CONSTRAINT "memories_next_embedding_has_model" CHECK (("memories"."next_embedding" is null) = ("memories"."next_embedding_model" is null));--> statement-breakpoint
ALTER TABLE "memories_archive" ADD CONSTRAINT "memories_archive_embedding_source" CHECK ("memories_archive"."embedding_source" in ('FUNES', 'CLIENT'));--> statement-breakpoint
ALTER TABLE "memories_archive" ADD CONSTRAINT "memories_archive_embedding_error" CHECK ("memories_archive"."embedding_error" is null or "memories_archive"."embedding" is null);--> statement-breakpoint
ALTER TABLE "memories_archive" ADD CONSTRAINT "memories_archive_next_embedding_has_model" CHECK (("memories_archive"."next_embedding" is null) = ("memories_archive"."next_embedding_model" is null));--> statement-breakpoint
ALTER TABLE "tool_embeddings" ADD CONSTRAINT "tool_embeddings_embedding_source" CHECK ("tool_embeddings"."embedding_source" in ('FUNES', 'CLIENT'));--> statement-breakpoint
ALTER TABLE "tool_embeddings" ADD CONSTRAINT "tool_embeddings_embedding_error" CHECK ("tool_embeddings"."embedding_error" is null or "tool_embeddings"."embedding" is null);--> statement-breakpoint
ALTER TABLE "tool_embeddings" ADD CONSTRAINT "tool_embeddings_next_embedding_has_model" CHECK (("tool_embeddings"."next_embedding" is null) = ("tool_embeddings"."next_embedding_model" is null));
--> statement-breakpoint
-- Hand-written: the one row, with the model whose embeddings are in the tables; grants; and the age of older documents.
INSERT INTO "installation" ("embedding_model") SELECT (
	SELECT "embedding_model" FROM (
		SELECT "embedding_model" FROM "memories"
		UNION ALL SELECT "embedding_model" FROM "document_chunks"
		UNION ALL SELECT "embedding_model" FROM "tool_embeddings"
	) AS "embedded" WHERE "embedding_model" IS NOT NULL GROUP BY "embedding_model" ORDER BY count(*) DESC, "embedding_model" LIMIT 1
);
--> statement-breakpoint
GRANT SELECT ON "installation" TO "funes_app", "funes_admin";
--> statement-breakpoint
GRANT UPDATE ("embedding_model", "next_embedding_model") ON "installation" TO "funes_admin";
--> statement-breakpoint
UPDATE "documents" SET "created_at" = "processed_at";
