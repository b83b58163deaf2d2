-- As for "embedding" in 0002: pgvector's default storage moves a vector out of line, and a search then reads one more page a row.
ALTER TABLE "memories" ALTER COLUMN "next_embedding" SET STORAGE PLAIN;
--> statement-breakpoint
ALTER TABLE "document_chunks" ALTER COLUMN "next_embedding" SET STORAGE PLAIN;
--> statement-breakpoint
ALTER TABLE "tool_embeddings" ALTER COLUMN "next_embedding" SET STORAGE PLAIN;
