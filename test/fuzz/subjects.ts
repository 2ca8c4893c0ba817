import { answerSubjects } from './answers.ts';
import { environmentSubjects } from './environment.ts';
import { nameSubjects } from './names.ts';
import { patternSubjects } from './patterns.ts';
import { policySubjects } from './policy-files.ts';
import type { Subject } from './subject.ts';

export const subjects: readonly Subject[] = [
  ...policySubjects,
  ...answerSubjects,
  ...nameSubjects,
  ...patternSubjects,
  ...environmentSubjects,
];
