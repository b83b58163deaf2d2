import { GraphQLBoolean } from 'graphql';
import { Arg } from 'type-graphql';

/** The argument `wait` of a mutation that writes texts. */
export const WaitArg = () =>
  Arg('wait', () => GraphQLBoolean, {
    defaultValue: true,
    description:
      'Whether to wait for the embeddings, at most for FUNES_WRITE_WAIT (60 s). What has none by then, and with false all, is stored ' +
      'as PENDING and embedded in the background.',
  });
