import { GraphQLBoolean, GraphQLString } from 'graphql';
import { Arg, Args, ArgsType, Ctx, Field, Mutation, Query, Resolver } from 'type-graphql';
import { exportUser, forgetUser } from '../../src/store/person.ts';
import { PageArguments } from '../common/arguments.ts';
import { OptionalField } from '../common/optional-field.ts';
import type { Context } from '../context.ts';
import { ForgetUserPayload, PersonalRowConnection } from './person.ts';

@ArgsType()
class ExportArguments extends PageArguments {
  @OptionalField(
    () => GraphQLString,
    'Whose rows. Your own if you leave it out; only administrators may name another user.',
  )
  userId?: string | null;

  @Field(() => GraphQLBoolean, {
    defaultValue: false,
    description: 'Whether memories and chunks have their `embedding`, 384 numbers each.',
  })
  vectors!: boolean;
}

@Resolver()
export class PersonResolver {
  @Query(() => PersonalRowConnection, {
    description:
      'All rows of a user, a page at a time: memories with those in the archive, documents, chunks, and keys, each in the order of ' +
      'their ids. For administrators, lines of the audit about the user follow. The audit notes an export, at most once an hour for each user and key.',
  })
  async exportUser(@Args(() => ExportArguments) page: ExportArguments, @Ctx() { services, viewer }: Context) {
    return exportUser(services.database, viewer, page);
  }

  @Mutation(() => ForgetUserPayload, {
    description:
      'Deletes all rows of a user for ever: memories, archive, documents, chunks and keys. The audit keeps its lines with the name of ' +
      'the user. By default it is a dry run, which changes nothing. Only administrators may name another user.',
  })
  async forgetUser(
    @Arg('userId', () => GraphQLString, {
      description: 'Whose rows. Your own name if you are no administrator.',
    })
    userId: string,
    @Arg('dryRun', () => GraphQLBoolean, {
      defaultValue: true,
      description: 'Only counts the rows, without deleting any.',
    })
    dryRun: boolean,
    @Ctx() { services, viewer, forgetKeys }: Context,
  ): Promise<ForgetUserPayload> {
    const counts = await forgetUser(services, viewer, { userId, dryRun }, forgetKeys);
    return {
      userId,
      memories: counts.MEMORY,
      archivedMemories: counts.ARCHIVED_MEMORY,
      documents: counts.DOCUMENT,
      chunks: counts.CHUNK,
      keys: counts.KEY,
    };
  }
}
