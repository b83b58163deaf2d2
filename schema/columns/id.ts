import { type ColumnBaseConfig, type ColumnBuilderBaseConfig, entityKind } from 'drizzle-orm';
import { type AnyPgTable, PgColumn, PgIntColumnBaseBuilder } from 'drizzle-orm/pg-core';

interface IdType {
  name: string;
  dataType: 'string';
  columnType: 'PgId';
  data: string;
  driverParam: string;
  enumValues: undefined;
}

class PgIdBuilder<
  T extends ColumnBuilderBaseConfig<'string', 'PgId'> = IdType,
> extends PgIntColumnBaseBuilder<T> {
  static override readonly [entityKind]: string = 'PgIdBuilder';

  constructor(name: T['name']) {
    super(name, 'string', 'PgId');
  }

  /** Drizzle calls this when the table is defined. */
  build(table: AnyPgTable): PgId<ColumnBaseConfig<'string', 'PgId'>> {
    // Drizzle's own builders pass their config on in this way, too. Its type is not exported.
    return new PgId(table, this.config as ConstructorParameters<typeof PgId>[1]);
  }
}

class PgId<T extends ColumnBaseConfig<'string', 'PgId'>> extends PgColumn<T> {
  static override readonly [entityKind]: string = 'PgId';

  getSQLType(): string {
    return 'bigint';
  }
}

/**
 * A bigint as a decimal string, because postgres.js returns strings and GraphQL's `ID` takes them. A number would lose digits
 * above 2^53, and a BigInt would be converted twice.
 */
export function bigintId(name: string): PgIdBuilder {
  return new PgIdBuilder(name);
}
