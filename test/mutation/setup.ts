/** A property that a mistake breaks, it breaks for most inputs; thousands of mistakes are tried. */
import fc from 'fast-check';

fc.configureGlobal({ numRuns: 30 });
