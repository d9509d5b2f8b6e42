// What zod finds wrong with Zarr's metadata documents, in words.
import type { z } from 'zod';

/** What is wrong with a document, for people: which field, and whether it is missing or not as it must be. */
export function describeIssue(issue: z.core.$ZodIssue): string {
  const field = issue.path.map(String).join('.') || 'the document';
  if (issue.input === undefined && issue.code === 'invalid_type') return `${field} is missing`;
  return `${field} is wrong (${issue.message})`;
}
