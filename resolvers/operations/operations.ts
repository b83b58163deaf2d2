import { GraphQLBoolean, GraphQLFloat, GraphQLString } from 'graphql';
import { GraphQLDateTime } from 'graphql-scalars';
import { Field, ObjectType } from 'type-graphql';
import type { FindingCode, Finding as FoundFinding } from '../../src/doctor/finding.ts';
import type { IndexInfo } from '../../src/doctor/indexes.ts';
import { EmbeddingStatus } from '../../src/filters/conditions.ts';
import type { ReadinessName } from '../../src/readiness.ts';
import type {
  KindStats as KindStatsRow,
  StatsKind as StatsKindName,
  UserStats as UserStatsRow,
} from '../../src/store/statistics.ts';
import { enumOf } from '../common/enum.ts';

export const HealthCheckName = enumOf<ReadinessName>('HealthCheckName', 'What the server needs.', {
  database: 'The database answers.',
  migrations: 'The tables are those of this version.',
  model: 'The model computes embeddings.',
});

@ObjectType({ simpleResolvers: true, description: 'Whether one thing that the server needs is there.' })
export class HealthCheck {
  @Field(() => HealthCheckName, { description: 'What it is about.' })
  name!: ReadinessName;

  @Field(() => GraphQLBoolean, { description: 'Whether it is there.' })
  ready!: boolean;

  @Field(() => GraphQLString, {
    nullable: true,
    description: 'What is wrong, and what to do. Null if nothing is, and for all but administrators.',
  })
  detail!: string | null;
}

@ObjectType({
  simpleResolvers: true,
  description: 'Whether the server can answer requests, as /health/ready says it.',
})
export class Health {
  @Field(() => GraphQLBoolean, { description: 'Whether all checks are ready.' })
  ready!: boolean;

  @Field(() => [HealthCheck], { description: 'The checks.' })
  checks!: HealthCheck[];

  @Field(() => GraphQLString, { description: 'The version of funes.' })
  version!: string;
}

@ObjectType({ simpleResolvers: true, description: 'Something that is wrong with the database.' })
export class Finding implements FoundFinding {
  @Field(() => GraphQLString, {
    description: 'What is wrong, as a code such as INDEX_MISSING. Codes keep their meanings.',
  })
  code!: FindingCode;

  @Field(() => GraphQLString, { description: 'What it is about: a table, an index, a setting.' })
  subject!: string;

  @Field(() => GraphQLString, { description: 'What was found, a sentence.' })
  problem!: string;

  @Field(() => GraphQLString, { description: 'What follows from it, a sentence or several.' })
  meaning!: string;

  @Field(() => GraphQLString, { description: 'The command that mends it, or what to do.' })
  command!: string;

  @Field(() => [GraphQLString], { description: 'What the command runs, if it is SQL.' })
  statements!: readonly string[];
}

@ObjectType({ simpleResolvers: true, description: 'What `funes doctor` finds.' })
export class Integrity {
  @Field(() => GraphQLBoolean, { description: 'Whether nothing is wrong.' })
  ok!: boolean;

  @Field(() => [Finding], { description: 'What is wrong.' })
  findings!: readonly Finding[];

  @Field(() => GraphQLString, { description: 'The version of PostgreSQL.' })
  postgres!: string;

  @Field(() => GraphQLString, { nullable: true, description: 'The version of pgvector.' })
  vector!: string | null;
}

@ObjectType({ simpleResolvers: true, description: 'An index of a table.' })
export class Index implements IndexInfo {
  @Field(() => GraphQLString, { description: 'Its name.' })
  name!: string;

  @Field(() => GraphQLString, { description: 'Its table.' })
  table!: string;

  @Field(() => GraphQLString, { description: 'How it works: btree, gin, hnsw or ivfflat.' })
  method!: string;

  @Field(() => GraphQLString, { description: 'Method, columns, operator classes and parameters, as SQL.' })
  definition!: string;

  @Field(() => [GraphQLString], { description: 'The operator class of each column.' })
  operatorClasses!: readonly string[];

  @Field(() => [GraphQLString], { description: 'Its parameters, such as m=16.' })
  parameters!: readonly string[];

  @Field(() => GraphQLBoolean, { description: 'Whether it refuses equal values.' })
  unique!: boolean;

  @Field(() => GraphQLBoolean, { description: 'Whether it is complete, so that queries use it.' })
  valid!: boolean;

  @Field(() => GraphQLFloat, { description: 'Its size in bytes, a whole number.' })
  bytes!: number;

  @Field(() => GraphQLFloat, { description: 'Its rows, an estimate as of the last ANALYZE.' })
  rows!: number;

  @Field(() => GraphQLFloat, { description: 'How often it was read since the statistics were last reset.' })
  scans!: number;
}

export const StatsKind = enumOf<StatsKindName>('StatsKind', 'A kind of rows.', {
  MEMORY: 'Memories.',
  ARCHIVED_MEMORY: 'Memories in the archive.',
  DOCUMENT: 'Documents.',
  CHUNK: 'Chunks of documents.',
  TOOL: 'Tools.',
});

@ObjectType({ simpleResolvers: true, description: 'How many rows have a status and a model.' })
export class StatusCount {
  @Field(() => EmbeddingStatus, { description: 'Their status.' })
  status!: EmbeddingStatus;

  @Field(() => GraphQLString, {
    nullable: true,
    description: 'The model of their embeddings; null if they have none.',
  })
  model!: string | null;

  @Field(() => GraphQLFloat, { description: 'How many rows, a whole number.' })
  count!: number;
}

@ObjectType({ simpleResolvers: true, description: 'What there is of a kind, of the rows that you may see.' })
export class KindStats implements KindStatsRow {
  @Field(() => StatsKind, { description: 'The kind.' })
  kind!: StatsKindName;

  @Field(() => GraphQLFloat, { description: 'How many rows, a whole number.' })
  rows!: number;

  @Field(() => GraphQLFloat, {
    description: 'Bytes of their texts and metadata, without embeddings and indexes.',
  })
  bytes!: number;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description: 'The earliest createdAt (UTC). Null without rows.',
  })
  oldest!: Date | null;

  @Field(() => GraphQLDateTime, {
    nullable: true,
    description: 'The latest createdAt (UTC). Null without rows.',
  })
  newest!: Date | null;

  @Field(() => [StatusCount], {
    description: 'The rows by embedding status and model. Documents have none: see CHUNK.',
  })
  embeddings!: StatusCount[];
}

@ObjectType({ simpleResolvers: true, description: 'What a user has.' })
export class UserStats implements UserStatsRow {
  @Field(() => GraphQLString, { description: 'The user.' })
  userId!: string;

  @Field(() => GraphQLFloat, { description: 'All rows of the user, a whole number.' })
  rows!: number;

  @Field(() => GraphQLFloat, { description: 'Bytes of their texts and metadata.' })
  bytes!: number;

  @Field(() => GraphQLFloat, { description: 'Memories.' })
  memories!: number;

  @Field(() => GraphQLFloat, { description: 'Memories in the archive.' })
  archivedMemories!: number;

  @Field(() => GraphQLFloat, { description: 'Documents.' })
  documents!: number;

  @Field(() => GraphQLFloat, { description: 'Chunks of documents.' })
  chunks!: number;
}

@ObjectType({ description: 'What there is, of the rows that you may see.' })
export class Stats {}
