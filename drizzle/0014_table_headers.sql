-- drizzle-kit forgets the index of a column that it drops. So that index is hand-written.
ALTER TABLE "document_chunks" drop column "content_tsv";--> statement-breakpoint
ALTER TABLE "document_chunks" ADD COLUMN "content_tsv" "tsvector" GENERATED ALWAYS AS (to_tsvector('english', case when strpos("document_chunks"."content", "document_chunks"."metadata" ->> 'tableHeader') = 0
        then ("document_chunks"."metadata" ->> 'tableHeader') || ' ' || "document_chunks"."content" else "document_chunks"."content" end)) STORED;--> statement-breakpoint
CREATE INDEX "idx_document_chunks_document_start" ON "document_chunks" USING btree ("document_id","start_offset") WHERE "document_chunks"."start_offset" >= 0;--> statement-breakpoint
CREATE INDEX "idx_document_chunks_content_tsv" ON "document_chunks" USING gin ("content_tsv");
