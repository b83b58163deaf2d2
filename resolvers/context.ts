import { createLoaders, type Loaders } from '../src/loaders.ts';
import type { SearchReport } from '../src/search/report.ts';
import type { Services } from '../src/services.ts';
import { localViewer, type Viewer } from '../src/viewer.ts';

/** What a resolver knows of the request it works for. One is made for each request, and nothing in it outlives that. */
export interface Context {
  readonly viewer: Viewer;
  readonly services: Services;
  readonly loaders: Loaders;
  /** How the searches of the request were carried out, as far as it asks. */
  readonly searchReports: SearchReport[];
}

/** The context of a request by `viewer`. */
export function createContext(services: Services, viewer: Viewer = localViewer): Context {
  const searchReports: SearchReport[] = [];
  return { viewer, services, searchReports, loaders: createLoaders(services, viewer, searchReports) };
}
