/** A query of the demo, and how a person reads its answer. */
export interface DemoQuery {
  title: string;
  query: string;
}

// Types of the answers, as far as the demo shows them.

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

/** Each answers something worth reading once the demo's data is there. */
export const demoQueries = {
  recall: {
    title: 'A question finds the memories that answer it',
    query: `query Recall {
  similarMemories(text: "What can our guests not eat?", k: 3, filters: { importanceScore: { gte: 0.5 } }) {
    similarity
    memory { content sessionId }
  }
}`,
  },
  documents: {
    title: 'Documents by their best passage, and the documents that resemble them',
    query: `query Documents {
  similarDocuments(text: "How do I notice that somebody closed the browser before the answer was ready?", k: 2) {
    similarity
    chunk { content chunkIndex }
    document {
      filename
      totalChunks
      similar(k: 2) { similarity document { filename } }
    }
  }
}`,
  },
  agent: {
    title: 'What an agent asks before it answers: three kinds of knowledge in one request',
    query: `query BeforeAnswering($question: String = "How do I remove sensitive data from what we log?") {
  rules: similarMemories(text: $question, k: 1, filters: { importanceScore: { gte: 0.9 } }) {
    similarity
    memory { content }
  }
  passages: similarChunks(text: $question, k: 2, filters: { document: { metadata: { contains: { package: "pino" } } } }) {
    similarity
    chunk { content document { filename } }
  }
  tools: similarTools(text: $question, k: 1) {
    similarity
    tool { toolName toolDescription }
  }
}`,
  },
} as const satisfies Record<string, DemoQuery>;
