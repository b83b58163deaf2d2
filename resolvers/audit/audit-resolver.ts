import { GraphQLString } from 'graphql';
import { Args, ArgsType, Ctx, Query, Resolver } from 'type-graphql';
import { type AuditAction as AuditActionName, readAudit } from '../../src/store/audit.ts';
import { PageArguments } from '../common/arguments.ts';
import { OptionalField } from '../common/optional-field.ts';
import type { Context } from '../context.ts';
import { AuditAction, AuditLineConnection } from './audit.ts';

@ArgsType()
class AuditArguments extends PageArguments {
  @OptionalField(() => AuditAction, 'Only lines of this action.')
  action?: AuditActionName | null;

  @OptionalField(() => GraphQLString, 'Only lines about this user.')
  about?: string | null;
}

@Resolver()
export class AuditResolver {
  @Query(() => AuditLineConnection, {
    description:
      'Who made or revoked a key, exported or forgot a user, and when, a page at a time, newest first. For administrators.',
  })
  async audit(@Args(() => AuditArguments) page: AuditArguments, @Ctx() { services, viewer }: Context) {
    return readAudit(services.database, viewer, page);
  }
}
