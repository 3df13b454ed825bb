/** The environments of several agents, for the list of all. */
const GAMES = [
  {
    id: 'TicTacToe-v0',
    file: 'tic-tac-toe',
    export: 'ticTacToe',
    vectorExport: 'ticTacToeKernel',
    description: 'Three in a row; two players in turn. A draw between perfect ones.',
  },
  {
    id: 'ConnectFour-v0',
    file: 'connect-four',
    export: 'connectFour',
    vectorExport: 'connectFourKernel',
    description: 'Four in a line on an upright board; two players in turn.',
  },
  {
    id: 'KuhnPoker-v0',
    file: 'kuhn-poker',
    export: 'kuhnPoker',
    vectorExport: 'kuhnPokerKernel',
    description: 'The smallest poker: three cards, two players, one bet. Worth -1/18 to the first.',
  },
  {
    id: 'LeducPoker-v0',
    file: 'leduc-poker',
    export: 'leducPoker',
    vectorExport: 'leducPokerKernel',
    description: 'A small poker with two rounds of bets for two players. Worth -0.0856 to the first.',
  },
  {
    id: 'MatrixGame-v0',
    file: 'matrix-game',
    export: 'matrixGame',
    vectorExport: 'matrixGameKernel',
    description: 'Two players choose at once and a table pays: rock-paper-scissors and others.',
  },
  {
    id: 'CartPoles-v0',
    file: 'cart-poles',
    export: 'cartPoles',
    vectorExport: 'cartPolesKernel',
    description: 'Several cart-poles with an agent each. Limit 500 steps a pole.',
  },
  {
    id: 'SimpleSpread-v3',
    file: 'simple-spread',
    export: 'simpleSpread',
    vectorExport: 'simpleSpreadKernel',
    description: 'Agents share out landmarks among themselves, as in mpe2. Limit 25 steps.',
  },
  {
    id: 'SimpleSpeakerListener-v4',
    file: 'simple-speaker-listener',
    export: 'simpleSpeakerListener',
    vectorExport: 'simpleSpeakerListenerKernel',
    description: 'One agent says where another is to go, as in mpe2. Limit 25 steps.',
  },
  {
    id: 'PongDuel-v0',
    file: 'pong-duel',
    export: 'pongDuel',
    vectorExport: 'pongDuelKernel',
    description: 'Table tennis for two. Limit 2000 steps.',
  },
  {
    id: 'Pursuit-v0',
    file: 'pursuit',
    export: 'pursuit',
    vectorExport: 'pursuitKernel',
    description: 'Pursuers on a grid catch evaders together. Limit 200 steps.',
  },
];

export const AGENT_ENVS = GAMES.map((game) => ({ ...game, agents: true as const }));
