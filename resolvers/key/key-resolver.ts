import { Arg, Args, Ctx, Mutation, Query, Resolver } from 'type-graphql';
import { createKey, type KeyRow, readKeys, revokeKey } from '../../src/security/keys.ts';
import type { ViewerRole } from '../../src/viewer.ts';
import { IdArg, PageArguments } from '../common/arguments.ts';
import type { Context } from '../context.ts';
import { ApiKey, ApiKeyConnection, CreateKeyPayload, type UserRoleName } from './key.ts';
import { CreateKeyInput } from './key-inputs.ts';

const toApiKey = ({ role, ...row }: KeyRow): ApiKey => ({ ...row, role: role.toUpperCase() as UserRoleName });

@Resolver()
export class KeyResolver {
  @Query(() => ApiKeyConnection, {
    description:
      'All keys, a page at a time, newest first, with those that are revoked or expired. For administrators.',
  })
  async keys(@Args(() => PageArguments) page: PageArguments, @Ctx() { services, viewer }: Context) {
    const { edges, ...rest } = await readKeys(services.database, viewer, page);
    return { ...rest, edges: edges.map(({ cursor, node }) => ({ cursor, node: toApiKey(node) })) };
  }

  @Mutation(() => CreateKeyPayload, { description: 'Makes a key. For administrators.' })
  async createKey(
    @Arg('input', () => CreateKeyInput, { description: 'The key.' }) input: CreateKeyInput,
    @Ctx() { services, viewer }: Context,
  ): Promise<CreateKeyPayload> {
    const role = input.role.toLowerCase() as ViewerRole;
    const { key, row } = await createKey(services.database, viewer, { ...input, role });
    return { key, apiKey: toApiKey(row) };
  }

  @Mutation(() => ApiKey, {
    description:
      'Revokes a key for ever: every server refuses it within the time of FUNES_KEY_CACHE. A key that was revoked before stays ' +
      'as it is. For administrators.',
  })
  async revokeKey(@IdArg() id: string, @Ctx() { services, viewer }: Context): Promise<ApiKey> {
    return toApiKey(await revokeKey(services.database, viewer, id));
  }
}
