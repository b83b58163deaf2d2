// Types of the answers to the example queries, as far as the demo shows them.

export interface RecallAnswer {
  similarMemories: { similarity: number; memory: { content: string; sessionId: string } }[];
}

export interface DocumentsAnswer {
  similarDocuments: {
    similarity: number;
    chunk: { content: string; chunkIndex: number };
    document: {
      filename: string;
      totalChunks: number;
      similar: { similarity: number; document: { filename: string } }[];
    };
  }[];
}

export interface AgentAnswer {
  rules: { similarity: number; memory: { content: string } }[];
  passages: { similarity: number; chunk: { content: string; document: { filename: string } } }[];
  tools: { similarity: number; tool: { toolName: string; toolDescription: string } }[];
}
