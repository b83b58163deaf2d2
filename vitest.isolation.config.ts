import { defineConfig } from 'vitest/config';
import shared from './vitest.config.ts';

const { exclude: _exclude, ...test } = shared.test ?? {};

/** `npm run test:isolation`: one user attacks the rows of another. */
export default defineConfig({ ...shared, test: { ...test, include: ['test/isolation/**/*.test.ts'] } });
