import { DirectiveLocation, GraphQLDirective, type GraphQLResolveInfo } from 'graphql';

/**
 * Asks for reports in the operation itself, so that it can be found in the schema and pasted with a query. They come beside the
 * data, in `extensions`, because they are about the execution: one statement may stand for the searches of fifty fields.
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

/** Whether the operation asks for reports of its searches. */
export function wantsSearchReport({ operation }: GraphQLResolveInfo): boolean {
  return operation.directives?.some(({ name }) => name.value === searchReportDirective.name) ?? false;
}
