import { DirectiveLocation, GraphQLDirective, type GraphQLResolveInfo } from 'graphql';
import { createParameterDecorator } from 'type-graphql';

/**
 * The directive by which an operation asks for reports of its searches. A directive, because clients find it in the schema and
 * can paste it with a query. The reports come in `extensions`, because one statement may answer the searches of fifty fields.
 */
export const searchReportDirective = new GraphQLDirective({
  name: 'searchReport',
  description:
    'Adds to the response how its searches were carried out: `extensions.searches` is a list with an object for each statement. ' +
    '`fields` are the fields that it answers, `searches` how many searches those are; `exact` is true when no index was to be ' +
    'used; `candidates` are the rows that were compared, for searches that found something; `completedExactly` is for how many ' +
    'searches the vector index gave too few rows, or was not tried, so that every row was compared; `capped` for how many the ' +
    'words stand in more rows than are scored, 1000, so that only those with the rarest were; `tookMs` are the milliseconds from ' +
    'the text to the last match; `statements` are those sent to the database.',
  locations: [DirectiveLocation.QUERY, DirectiveLocation.MUTATION],
});

/**
 * A parameter of a resolver: the path of its field in the response, by which a report names the field. Undefined unless the
 * operation asks for reports.
 */
export const ReportAs = () =>
  createParameterDecorator(({ info }) => (asksForReports(info) ? fieldPath(info.path) : undefined));

function asksForReports({ operation }: GraphQLResolveInfo): boolean {
  return operation.directives?.some(({ name }) => name.value === searchReportDirective.name) ?? false;
}

/** A path without the indexes in lists: `memories.edges.node.similar`. */
function fieldPath(path: GraphQLResolveInfo['path']): string {
  const names: (string | number)[] = [];
  for (let step: typeof path | undefined = path; step; step = step.prev) names.unshift(step.key);
  return names.filter((name) => typeof name === 'string').join('.');
}
