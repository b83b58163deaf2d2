CREATE TABLE "document_chunks" (
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "document_chunks_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"user_id" varchar(100) DEFAULT 'default_user' NOT NULL,
	"document_id" bigint NOT NULL,
	"chunk_index" integer NOT NULL,
	"total_chunks" integer NOT NULL,
	"previous_chunk_index" integer GENERATED ALWAYS AS (nullif("document_chunks"."chunk_index", 0) - 1) STORED,
	"content" text NOT NULL,
	"content_summary" text,
	"embedding" vector(384),
	"embedding_model" varchar(200),
	"chunk_size" integer NOT NULL,
	"overlap_size" integer DEFAULT 0 NOT NULL,
	"start_offset" integer NOT NULL,
	"end_offset" integer NOT NULL,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"content_tsv" "tsvector" GENERATED ALWAYS AS (to_tsvector('english', "document_chunks"."content")) STORED,
	CONSTRAINT "document_chunks_pkey" PRIMARY KEY("id","user_id"),
	CONSTRAINT "idx_document_chunks_doc_index" UNIQUE("document_id","chunk_index","user_id"),
	CONSTRAINT "document_chunks_content_not_blank" CHECK ("document_chunks"."content" ~ '[^[:space:]]'),
	CONSTRAINT "document_chunks_index_range" CHECK ("document_chunks"."chunk_index" >= 0 and "document_chunks"."chunk_index" < "document_chunks"."total_chunks"),
	CONSTRAINT "document_chunks_sizes" CHECK ("document_chunks"."chunk_size" > 0 and "document_chunks"."overlap_size" >= 0),
	CONSTRAINT "document_chunks_offsets" CHECK ("document_chunks"."start_offset" >= 0 and "document_chunks"."start_offset" < "document_chunks"."end_offset"),
	CONSTRAINT "document_chunks_embedding_has_model" CHECK (("document_chunks"."embedding" is null) = ("document_chunks"."embedding_model" is null))
);
--> statement-breakpoint
CREATE TABLE "documents" (
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "documents_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"user_id" varchar(100) DEFAULT 'default_user' NOT NULL,
	"filename" varchar(255) NOT NULL,
	"file_path" text,
	"file_type" varchar(20),
	"file_size" bigint,
	"content_hash" varchar(64) NOT NULL,
	"total_chunks" integer DEFAULT 0 NOT NULL,
	"last_chunk_index" integer GENERATED ALWAYS AS (nullif("documents"."total_chunks", 0) - 1) STORED,
	"processed_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	CONSTRAINT "documents_pkey" PRIMARY KEY("id","user_id"),
	CONSTRAINT "documents_user_content_hash" UNIQUE("user_id","content_hash"),
	CONSTRAINT "documents_total_chunks_key" UNIQUE("id","user_id","total_chunks"),
	CONSTRAINT "documents_filename_not_blank" CHECK ("documents"."filename" ~ '[^[:space:]]'),
	CONSTRAINT "documents_content_hash_sha256" CHECK ("documents"."content_hash" ~ '^[0-9a-f]{64}$'),
	CONSTRAINT "documents_file_size_range" CHECK ("documents"."file_size" >= 0),
	CONSTRAINT "documents_total_chunks_range" CHECK ("documents"."total_chunks" >= 0)
);
--> statement-breakpoint
CREATE TABLE "memories" (
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "memories_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"user_id" varchar(100) DEFAULT 'default_user' NOT NULL,
	"content" text NOT NULL,
	"content_summary" text,
	"embedding" vector(384),
	"embedding_model" varchar(200),
	"source" varchar(50) DEFAULT 'chat' NOT NULL,
	"session_id" varchar(100),
	"importance_score" double precision DEFAULT 0.5 NOT NULL,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"idempotency_key" varchar(200),
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"content_tsv" "tsvector" GENERATED ALWAYS AS (to_tsvector('english', "memories"."content")) STORED,
	CONSTRAINT "memories_pkey" PRIMARY KEY("id","user_id"),
	CONSTRAINT "memories_user_idempotency_key" UNIQUE("user_id","idempotency_key"),
	CONSTRAINT "memories_content_not_blank" CHECK ("memories"."content" ~ '[^[:space:]]'),
	CONSTRAINT "memories_importance_range" CHECK ("memories"."importance_score" between 0 and 1),
	CONSTRAINT "memories_embedding_has_model" CHECK (("memories"."embedding" is null) = ("memories"."embedding_model" is null))
);
--> statement-breakpoint
CREATE TABLE "memories_archive" (
	"id" bigint NOT NULL,
	"user_id" varchar(100) DEFAULT 'default_user' NOT NULL,
	"content" text NOT NULL,
	"content_summary" text,
	"embedding" vector(384),
	"embedding_model" varchar(200),
	"source" varchar(50) DEFAULT 'chat' NOT NULL,
	"session_id" varchar(100),
	"importance_score" double precision DEFAULT 0.5 NOT NULL,
	"metadata" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"idempotency_key" varchar(200),
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"archived_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "memories_archive_pkey" PRIMARY KEY("id","user_id"),
	CONSTRAINT "memories_archive_content_not_blank" CHECK ("memories_archive"."content" ~ '[^[:space:]]'),
	CONSTRAINT "memories_archive_importance_range" CHECK ("memories_archive"."importance_score" between 0 and 1)
);
--> statement-breakpoint
CREATE TABLE "tool_embeddings" (
	"id" bigint GENERATED ALWAYS AS IDENTITY (sequence name "tool_embeddings_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"tool_name" varchar(100) NOT NULL,
	"tool_description" text NOT NULL,
	"tool_parameters" jsonb,
	"embedding" vector(384),
	"embedding_model" varchar(200),
	"usage_count" integer DEFAULT 0 NOT NULL,
	"last_used" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "tool_embeddings_pkey" PRIMARY KEY("id"),
	CONSTRAINT "tool_embeddings_tool_name" UNIQUE("tool_name"),
	CONSTRAINT "tool_embeddings_name_not_blank" CHECK ("tool_embeddings"."tool_name" ~ '[^[:space:]]'),
	CONSTRAINT "tool_embeddings_description_not_blank" CHECK ("tool_embeddings"."tool_description" ~ '[^[:space:]]'),
	CONSTRAINT "tool_embeddings_usage_count_range" CHECK ("tool_embeddings"."usage_count" >= 0),
	CONSTRAINT "tool_embeddings_embedding_has_model" CHECK (("tool_embeddings"."embedding" is null) = ("tool_embeddings"."embedding_model" is null))
);
--> statement-breakpoint
ALTER TABLE "document_chunks" ADD CONSTRAINT "document_chunks_document_fkey" FOREIGN KEY ("document_id","user_id","total_chunks") REFERENCES "public"."documents"("id","user_id","total_chunks") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "document_chunks" ADD CONSTRAINT "document_chunks_previous_fkey" FOREIGN KEY ("document_id","previous_chunk_index","user_id") REFERENCES "public"."document_chunks"("document_id","chunk_index","user_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "idx_document_chunks_embedding_hnsw" ON "document_chunks" USING hnsw ("embedding" vector_cosine_ops) WITH (m=16,ef_construction=64);--> statement-breakpoint
CREATE INDEX "idx_document_chunks_user_id" ON "document_chunks" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "idx_document_chunks_metadata" ON "document_chunks" USING gin ("metadata" jsonb_path_ops);--> statement-breakpoint
CREATE INDEX "idx_document_chunks_content_tsv" ON "document_chunks" USING gin ("content_tsv");--> statement-breakpoint
CREATE INDEX "idx_documents_metadata" ON "documents" USING gin ("metadata" jsonb_path_ops);--> statement-breakpoint
CREATE INDEX "idx_memories_embedding_hnsw" ON "memories" USING hnsw ("embedding" vector_cosine_ops) WITH (m=16,ef_construction=64);--> statement-breakpoint
CREATE INDEX "idx_memories_created_at" ON "memories" USING btree ("created_at" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "idx_memories_source" ON "memories" USING btree ("source");--> statement-breakpoint
CREATE INDEX "idx_memories_user_id" ON "memories" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "idx_memories_session_id" ON "memories" USING btree ("session_id");--> statement-breakpoint
CREATE INDEX "idx_memories_importance" ON "memories" USING btree ("importance_score" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "idx_memories_user_created" ON "memories" USING btree ("user_id","created_at" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "idx_memories_metadata" ON "memories" USING gin ("metadata" jsonb_path_ops);--> statement-breakpoint
CREATE INDEX "idx_memories_content_tsv" ON "memories" USING gin ("content_tsv");--> statement-breakpoint
CREATE INDEX "idx_memories_archive_user_archived" ON "memories_archive" USING btree ("user_id","archived_at" DESC NULLS FIRST);--> statement-breakpoint
CREATE INDEX "idx_tool_embeddings_hnsw" ON "tool_embeddings" USING hnsw ("embedding" vector_cosine_ops) WITH (m=16,ef_construction=64);--> statement-breakpoint
CREATE INDEX "idx_tool_embeddings_parameters" ON "tool_embeddings" USING gin ("tool_parameters" jsonb_path_ops);