-- Hand-written: what drizzle-kit cannot express.

-- A document's last chunk must exist when the transaction ends (deferred, because documents and chunks refer to each
-- other). Together with document_chunks_previous_fkey (no gaps), document_chunks_index_range (none beyond the end) and
-- the unique chunk index, total_chunks is always the number of chunks that exist.
ALTER TABLE "documents" ADD CONSTRAINT "documents_last_chunk_fkey"
  FOREIGN KEY ("id", "last_chunk_index", "user_id")
  REFERENCES "document_chunks" ("document_id", "chunk_index", "user_id")
  DEFERRABLE INITIALLY DEFERRED;
--> statement-breakpoint
-- pgvector's default storage moves an embedding out of line as soon as its row passes 2 kB, which a short text and its
-- tsvector already do; every distance would then cost a TOAST look-up. 1.5 kB fits in the page.
ALTER TABLE "memories" ALTER COLUMN "embedding" SET STORAGE PLAIN;
--> statement-breakpoint
ALTER TABLE "document_chunks" ALTER COLUMN "embedding" SET STORAGE PLAIN;
--> statement-breakpoint
ALTER TABLE "tool_embeddings" ALTER COLUMN "embedding" SET STORAGE PLAIN;
