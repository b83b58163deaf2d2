import { GraphQLFloat, GraphQLInt } from 'graphql';
import { Arg, Ctx, FieldResolver, Query, Resolver } from 'type-graphql';
import { version } from '../../src/distribution.ts';
import { examine, readAsAdministrator } from '../../src/doctor/doctor.ts';
import { readIndexes } from '../../src/doctor/indexes.ts';
import { limits } from '../../src/input/limits.ts';
import { countUsers, readKindStats, readUserStats } from '../../src/store/statistics.ts';
import type { Context } from '../context.ts';
import { Health, Index, Integrity, KindStats, Stats, UserStats } from './operations.ts';

@Resolver(() => Stats)
export class OperationsResolver {
  @Query(() => Health, {
    description:
      'Whether the server can answer requests: database, migrations and model. To administrators also why not.',
  })
  async health(@Ctx() { services, viewer }: Context): Promise<Health> {
    const checks = (await services.checkReadiness?.()) ?? [];
    return {
      ready: checks.every(({ ready }) => ready),
      checks: checks.map(({ name, ready, detail }) => ({
        name,
        ready,
        detail: viewer.role === 'admin' ? (detail ?? null) : null,
      })),
      version,
    };
  }

  @Query(() => Integrity, {
    description:
      'Examines the database as `funes doctor` does, and says what is wrong and what mends it. It reads all rows. For administrators.',
  })
  async integrity(@Ctx() { services, viewer }: Context): Promise<Integrity> {
    const { findings, postgres, vector } = await examine(
      readAsAdministrator(services.database, viewer),
      services.embedded === true ? 'embedded' : 'server',
    );
    return { ok: findings.length === 0, findings, postgres, vector };
  }

  @Query(() => [Index], {
    description:
      'The indexes of all tables, with size, parameters, how often they were read, and whether they are complete. For administrators.',
  })
  async indexes(@Ctx() { services, viewer }: Context): Promise<Index[]> {
    return readIndexes(readAsAdministrator(services.database, viewer));
  }

  @Query(() => Stats, {
    description: 'How many rows there are, of those that you may see, how large and how old.',
  })
  stats(): Stats {
    return {};
  }

  @FieldResolver(() => [KindStats], { description: 'What there is of each kind.' })
  async kinds(@Ctx() { services, viewer }: Context): Promise<KindStats[]> {
    return readKindStats(services.database, viewer);
  }

  @FieldResolver(() => GraphQLFloat, {
    nullable: true,
    description: 'How many users have rows, a whole number. Null for all but administrators.',
  })
  async userCount(@Ctx() { services, viewer }: Context): Promise<number | null> {
    return viewer.role === 'admin' ? countUsers(services.database, viewer) : null;
  }

  @FieldResolver(() => [UserStats], {
    nullable: true,
    description: 'The users who have most rows, in that order. Null for all but administrators.',
  })
  async users(
    @Ctx() { services, viewer }: Context,
    @Arg('first', () => GraphQLInt, {
      defaultValue: 20,
      description: `How many to return, 0 to ${limits.pageSize}.`,
    })
    first: number,
  ): Promise<UserStats[] | null> {
    return viewer.role === 'admin' ? readUserStats(services.database, viewer, first) : null;
  }
}
