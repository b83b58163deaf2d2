import { createLoaders, type Loaders } from '../src/loaders.ts';
import type { Services } from '../src/store/services.ts';
import { localViewer, type Viewer } from '../src/viewer.ts';

/** What a resolver knows of the request it works for. One is made for each request, and nothing in it outlives that. */
export interface Context {
  readonly viewer: Viewer;
  readonly services: Services;
  readonly loaders: Loaders;
}

/** The context of a request by `viewer`. */
export function createContext(services: Services, viewer: Viewer = localViewer): Context {
  return { viewer, services, loaders: createLoaders(services, viewer) };
}
