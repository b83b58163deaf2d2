/**
 * Messages for clients when a constraint refuses a row, by the name of the constraint. The API checks its input first, so a
 * client sees these messages only when two requests race, or when a check is missing.
 */
export const constraintMessages: Readonly<Record<string, string>> = {
  memories_user_idempotency_key: 'A memory with this idempotencyKey exists already.',
  memories_content_not_blank: 'The content of a memory must not be blank.',
  memories_importance_range: 'importanceScore must be between 0 and 1.',
  memories_archive_pkey: 'This memory is in the archive already.',
  memories_archive_content_not_blank: 'The content of a memory must not be blank.',
  memories_archive_importance_range: 'importanceScore must be between 0 and 1.',
  documents_user_content_hash: 'A document with this content exists already.',
  documents_filename_not_blank: 'The filename of a document must not be blank.',
  documents_file_size_range: 'fileSize must not be negative.',
  document_chunks_content_not_blank: 'The content of a chunk must not be blank.',
  document_chunks_document_fkey:
    'The document of a chunk does not exist; it may have been deleted meanwhile.',
  idx_document_chunks_doc_index:
    'This document was written by another request at the same time. Send it again.',
  tool_embeddings_tool_name: 'A tool with this name exists already.',
  tool_embeddings_name_not_blank: 'The name of a tool must not be blank.',
  tool_embeddings_description_not_blank: 'The description of a tool must not be blank.',
  tool_embeddings_usage_count_range: 'usageCount must not be negative.',
};
