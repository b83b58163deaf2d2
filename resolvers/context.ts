import { createLoaders, type Loaders } from '../src/loaders.ts';
import type { SearchReport } from '../src/search/report.ts';
import type { Services } from '../src/services.ts';
import type { Viewer } from '../src/viewer.ts';

/** What a resolver knows about its request. Each request has a context of its own, which ends with the request. */
export interface Context {
  readonly viewer: Viewer;
  readonly services: Services;
  readonly loaders: Loaders;
  /** Reports of the searches of this request; empty unless the operation has `@searchReport`. */
  readonly searchReports: SearchReport[];
  /** Drops what this process keeps about the keys of a user. */
  readonly forgetKeys: (userId: string) => void;
}

/**
 * Makes the context of a request by `viewer`.
 * @param signal says that the client left.
 */
export function createContext(
  services: Services,
  viewer: Viewer,
  forgetKeys: Context['forgetKeys'] = () => {},
  signal?: AbortSignal,
): Context {
  const searchReports: SearchReport[] = [];
  const loaders = createLoaders(services, viewer, searchReports, signal);
  return { viewer, services, searchReports, loaders, forgetKeys };
}
