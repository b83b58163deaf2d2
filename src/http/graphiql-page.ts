import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import { cspHash, type ExampleQuery, icon, type Page, pagePolicy } from './page.ts';

/**
 * The page at `/graphiql`: GraphiQL with its documentation pane in one file, and each example in a tab. It loads nothing else;
 * its editor starts workers from blobs and writes style elements, which the policy allows.
 */
export function graphiqlPage(examples: readonly ExampleQuery[]): Page {
  const html = renderGraphiQL({
    title: 'funes',
    favicon: icon,
    endpoint: '/graphql',
    defaultTabs: examples.map(({ title, query }) => ({ query: `# ${title}\n${query.trim()}\n` })),
  });
  const script = html.slice(html.indexOf('<script>') + '<script>'.length, html.lastIndexOf('</script>'));
  return {
    html,
    policy: pagePolicy({
      'script-src': [cspHash(script)],
      'worker-src': ['blob:'],
      'style-src': ["'unsafe-inline'"],
      'img-src': ['data:'],
      'font-src': ['data:'],
      'connect-src': ["'self'"],
    }),
  };
}
