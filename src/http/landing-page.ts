import { cspHash, type ExampleQuery, icon, type Page, pagePolicy } from './page.ts';

const cdn = 'https://embeddable-sandbox.cdn.apollographql.com';
const sandboxFrame = 'https://sandbox.embed.apollographql.com';

/** How long to wait for the CDN before the offline page opens. */
const patienceMs = 3000;

const style = `
html, body { margin: 0; height: 100%; font: 16px/1.5 system-ui, sans-serif; color: #24313f; }
#sandbox, #sandbox iframe { position: absolute; inset: 0; width: 100%; height: 100%; border: 0; background: #fff; }
#waiting { padding: 2rem; }
`;

/**
 * The page at `/`. Apollo's script comes from a CDN, and runs with the rights of this page: it can read and write everything
 * in the API. If you do not want that, use `/graphiql`, which loads nothing from other servers.
 */
export function landingPage(examples: readonly ExampleQuery[]): Page {
  const document = examples.map(({ title, query }) => `# ${title}\n${query.trim()}\n`).join('\n');
  const script = `
const settings = ${forScript({ cdn, patienceMs, document })};
const offline = () => location.replace('graphiql');
const waiting = setTimeout(offline, settings.patienceMs);
const script = document.createElement('script');
script.src = settings.cdn + '/v2/embeddable-sandbox.umd.production.min.js';
script.onerror = offline;
script.onload = () => {
  clearTimeout(waiting);
  try {
    new window.EmbeddedSandbox({
      target: '#sandbox',
      initialEndpoint: new URL('graphql', location.href).href,
      endpointIsEditable: false,
      runTelemetry: false,
      allowDynamicStyles: false,
      initialState: { document: settings.document, includeCookies: false, pollForSchemaUpdates: false },
    });
    document.getElementById('waiting').remove();
  } catch {
    offline();
  }
};
document.head.append(script);
`;
  return {
    policy: pagePolicy({
      'script-src': [cspHash(script), cdn],
      'style-src': [cspHash(style)],
      'img-src': ['data:'],
      'connect-src': ["'self'"],
      'frame-src': [sandboxFrame],
    }),
    html: `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>funes</title>
    <link rel="icon" href="${icon}">
    <style>${style}</style>
  </head>
  <body>
    <p id="waiting">Opening Apollo Sandbox; <a href="graphiql">GraphiQL</a> needs no network.</p>
    <div id="sandbox"></div>
    <noscript><p>This page needs JavaScript. GraphQL clients use <code>POST /graphql</code>.</p></noscript>
    <script>${script}</script>
  </body>
</html>
`,
  };
}

/** Writes JSON that cannot end the script element around it. */
function forScript(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}
