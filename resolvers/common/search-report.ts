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
    '`fields`: the fields that the statement answers. `searches`: how many searches these are. `exact`: whether every row was to ' +
    'be compared, without the vector index. `candidates`: how many rows were compared, in searches that found something. ' +
    '`completedExactly`: for how many searches the vector index found too few rows, or was not tried, so that every row was ' +
    'compared. `capped`: for how many searches the words stand in more than 1000 rows, so that only rows with the rarest words ' +
    'were scored. `tookMs`: the milliseconds from the text to the last match. `statements`: how many were sent to the database.',
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
