/** When what happened to a request: for whoever traces it. The queue and the model write here where somebody asks. */

/** Of `performance.now()`, ms; 0 = not yet, or never. */
export interface RequestTimes {
  enqueuedAt: number;
  /** Taken from the queue, with a batch. */
  takenAt: number;
  /** The model was asked. */
  modelBeganAt: number;
  modelEndedAt: number;
  answeredAt: number;
  /** Rows of its batch. */
  numRows: number;
  priority: number;
  model: string;
  version: string;
}

export const createTimes = (): RequestTimes => ({
  enqueuedAt: 0,
  takenAt: 0,
  modelBeganAt: 0,
  modelEndedAt: 0,
  answeredAt: 0,
  numRows: 0,
  priority: 0,
  model: '',
  version: '',
});
