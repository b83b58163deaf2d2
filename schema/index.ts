export { apiKeys } from './api-keys.ts';
export { audit, auditActions } from './audit.ts';
export { documentChunks } from './document-chunks.ts';
export { documents } from './documents.ts';
export { installation } from './installation.ts';
export { memories } from './memories.ts';
export { memoriesArchive } from './memories-archive.ts';
export { toolEmbeddings } from './tool-embeddings.ts';
