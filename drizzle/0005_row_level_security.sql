ALTER TABLE "document_chunks" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "documents" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "memories" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
ALTER TABLE "memories_archive" ENABLE ROW LEVEL SECURITY;--> statement-breakpoint
CREATE POLICY "document_chunks_of_user" ON "document_chunks" AS PERMISSIVE FOR ALL TO "funes_app" USING ("document_chunks"."user_id" = (select nullif(current_setting('funes.user', true), ''))) WITH CHECK ("document_chunks"."user_id" = (select nullif(current_setting('funes.user', true), '')));--> statement-breakpoint
CREATE POLICY "document_chunks_of_all" ON "document_chunks" AS PERMISSIVE FOR ALL TO "funes_admin" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "documents_of_user" ON "documents" AS PERMISSIVE FOR ALL TO "funes_app" USING ("documents"."user_id" = (select nullif(current_setting('funes.user', true), ''))) WITH CHECK ("documents"."user_id" = (select nullif(current_setting('funes.user', true), '')));--> statement-breakpoint
CREATE POLICY "documents_of_all" ON "documents" AS PERMISSIVE FOR ALL TO "funes_admin" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "memories_of_user" ON "memories" AS PERMISSIVE FOR ALL TO "funes_app" USING ("memories"."user_id" = (select nullif(current_setting('funes.user', true), ''))) WITH CHECK ("memories"."user_id" = (select nullif(current_setting('funes.user', true), '')));--> statement-breakpoint
CREATE POLICY "memories_of_all" ON "memories" AS PERMISSIVE FOR ALL TO "funes_admin" USING (true) WITH CHECK (true);--> statement-breakpoint
CREATE POLICY "memories_archive_of_user" ON "memories_archive" AS PERMISSIVE FOR ALL TO "funes_app" USING ("memories_archive"."user_id" = (select nullif(current_setting('funes.user', true), ''))) WITH CHECK ("memories_archive"."user_id" = (select nullif(current_setting('funes.user', true), '')));--> statement-breakpoint
CREATE POLICY "memories_archive_of_all" ON "memories_archive" AS PERMISSIVE FOR ALL TO "funes_admin" USING (true) WITH CHECK (true);