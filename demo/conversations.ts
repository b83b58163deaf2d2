/** A conversation as a chat application keeps it: what one person said that is worth remembering. */
export interface Conversation {
  sessionId: string;
  topic: string;
  /** Each statement has its importance, 0 to 1. */
  statements: readonly (readonly [content: string, importance: number])[];
}

/** The conversations were written for the demo. All persons are made up. */
export const conversations: readonly Conversation[] = [
  {
    sessionId: 'demo-dinner',
    topic: 'a birthday dinner',
    statements: [
      ['Ada must not eat peanuts or walnuts, she is allergic to both.', 0.95],
      ['Tomas is a vegetarian, but he likes eggs and cheese.', 0.8],
      ['Our oven runs about twenty degrees too hot.', 0.6],
      ['Ada turns forty on the 14th of June.', 0.8],
      ["Grandmother's lemon tart has to rest overnight before it is cut.", 0.5],
      ['We have eight chairs and can borrow four more from the neighbours downstairs.', 0.4],
      ['The lentil soup was far too spicy for most of us last time.', 0.5],
      ['I always forget to buy ice.', 0.2],
    ],
  },
  {
    sessionId: 'demo-lisbon',
    topic: 'a trip to Lisbon',
    statements: [
      ['Our train to Lisbon leaves on Friday at 8:40 from platform 3.', 0.9],
      ['The hotel is close to the river and serves breakfast until ten.', 0.5],
      ['Mara gets seasick, so please suggest nothing that happens on a boat.', 0.8],
      ['My passport expires in October.', 0.9],
      ['We want to see the tile museum, and would rather walk than queue for the tram.', 0.5],
      ['We can spend 900 euros on the whole journey, not more.', 0.7],
      ['Last summer I burned my neck on the first afternoon at the beach.', 0.4],
    ],
  },
  {
    sessionId: 'demo-billing',
    topic: 'work on a billing service',
    statements: [
      ['Names and card numbers of customers must never show up in our log files.', 0.95],
      ['The billing service runs out of database connections when the nightly report starts.', 0.8],
      ['We deploy on Tuesday mornings and never before a weekend.', 0.8],
      ['Priya looks after the payment gateway; ask her before you touch the retry code.', 0.7],
      ['The test suite takes twenty minutes, as every test starts a server of its own.', 0.6],
      ['Staging gets a copy of the production data every Sunday night.', 0.5],
      ['I like short functions, and no comments that repeat the code.', 0.4],
      ['Some old clients still send their dates with the day before the month.', 0.5],
    ],
  },
  {
    sessionId: 'demo-home',
    topic: 'the household',
    statements: [
      ['The cat gets her thyroid pill every evening, hidden in a bit of tuna.', 0.85],
      ['The back tyre of my bicycle loses air within two days.', 0.5],
      ['Water the orchid once a week at most, the last one drowned.', 0.5],
      ['In the bedroom the wireless network works only with the door open.', 0.4],
      ['My back hurts after an hour at the desk.', 0.6],
      ['I practise the cello after seven, when the neighbours are still out.', 0.4],
      ['Paper and glass are collected every second Thursday.', 0.3],
    ],
  },
  {
    sessionId: 'demo-later',
    topic: 'some weeks later',
    statements: [
      ['Last night the database refused every new client for ten minutes.', 0.8],
      ['The vet raised the dose of the medicine for our cat.', 0.8],
      ['The doctor told me to get up and stretch while I work.', 0.6],
      ['The cycle shop has mended the wheel, so I can ride again.', 0.4],
      ['I have applied for new travel papers.', 0.7],
      ['A taxi takes us to the station, or else we miss the train to Portugal.', 0.9],
    ],
  },
];
