/** A tool as an agent registers it: a description in words, and its parameters as a JSON Schema. */
export interface DemoTool {
  toolName: string;
  toolDescription: string;
  toolParameters: Record<string, unknown>;
}

const tool = (toolName: string, toolDescription: string, properties: Record<string, unknown>): DemoTool => ({
  toolName,
  toolDescription,
  toolParameters: { type: 'object', properties, required: Object.keys(properties) },
});

const string = { type: 'string' };
const date = { type: 'string', format: 'date' };

/** The tools of an imaginary assistant. Nothing calls them. */
export const tools: readonly DemoTool[] = [
  tool('weather_forecast', 'Temperature, rain and wind at a place for the next ten days.', {
    place: string,
    day: date,
  }),
  tool('train_connections', 'Departures, changes and prices of trains between two cities.', {
    from: string,
    to: string,
    day: date,
  }),
  tool('currency_exchange', 'Converts an amount of money at the rate of today.', {
    amount: { type: 'number' },
    from: string,
    to: string,
  }),
  tool('calendar_free_slots', 'Finds hours at which all the given people are free to meet.', {
    people: { type: 'array', items: string },
    day: date,
  }),
  tool('send_email', 'Writes to one or more people by email.', { to: string, subject: string, body: string }),
  tool('recipe_search', 'Recipes for given ingredients that leave out what somebody cannot eat.', {
    ingredients: { type: 'array', items: string },
    without: { type: 'array', items: string },
  }),
  tool('search_logs', 'Looks for a pattern in the log lines of a service within a span of time.', {
    service: string,
    pattern: string,
    since: { type: 'string', format: 'date-time' },
  }),
  tool('run_sql', 'Runs a read-only SQL query on the reporting database and returns its rows.', {
    query: string,
  }),
  tool('open_issue', 'Reports a bug or a wish in the issue tracker of a project.', {
    project: string,
    title: string,
    body: string,
  }),
  tool('translate', 'Translates a text into another language.', { text: string, language: string }),
  tool('set_reminder', 'Reminds you of something at a given hour.', {
    what: string,
    when: { type: 'string', format: 'date-time' },
  }),
  tool('play_music', 'Plays a song, an album or a radio station on the loudspeakers at home.', {
    what: string,
  }),
];
