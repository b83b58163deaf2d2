import { Ctx, Query, Resolver } from 'type-graphql';
import { countEmbeddings } from '../../src/store/embedding-counts.ts';
import type { Context } from '../context.ts';
import { EmbeddingCount } from './embedding.ts';

@Resolver()
export class EmbeddingResolver {
  @Query(() => [EmbeddingCount], {
    description:
      'How many of the rows that you may see have their embedding, wait for it or can have none, by kind, status and model.',
  })
  async embeddings(@Ctx() { services, viewer }: Context): Promise<EmbeddingCount[]> {
    return countEmbeddings(services.database, viewer);
  }
}
