-- Hand-written: drizzle-kit does not create extensions.
CREATE EXTENSION IF NOT EXISTS vector;
