/**
 * A request over HTTP with a deadline. Not `fetch`: it says `Sec-Fetch-Mode` as browsers do, and Ray's dashboard takes no writes from browsers (a page of another
 * site could make them).
 */
import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';

export interface HttpRequest {
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** From the beginning to the last byte of the answer. */
  readonly deadlineMs: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

/** @throws Error of the socket, or `TimeoutError`. Redirections are not followed: a token would travel on. */
export function httpRequest(
  url: string,
  { method = 'GET', headers, body, deadlineMs }: HttpRequest,
): Promise<HttpAnswer> {
  const open = url.startsWith('https:') ? secureRequest : plainRequest;
  const length = body === undefined ? {} : { 'Content-Length': String(body.length) };
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(deadlineMs);
    const fail = (error: Error) => reject(signal.aborted ? signal.reason : error);
    const request = open(url, { method, headers: { ...headers, ...length }, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', fail);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
      });
    });
    request.on('error', fail);
    request.end(body);
  });
}
