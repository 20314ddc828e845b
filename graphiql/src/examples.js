import targets from './operations/targets.graphql?raw';
import picker from './operations/picker.graphql?raw';
import preferences from './operations/preferences.graphql?raw';
import savePreferences from './operations/save-preferences.graphql?raw';
import savePreferencesVariables from './operations/save-preferences.variables.json?raw';
import syncPages from './operations/sync-pages.graphql?raw';
import follow from './operations/follow.graphql?raw';
import health from './operations/health.graphql?raw';
import node from './operations/node.graphql?raw';
import nodeVariables from './operations/node.variables.json?raw';

/** The tabs of a first visit; later ones find what the visitor left. */
export const examples = [
  { query: targets },
  { query: picker },
  { query: preferences },
  { query: savePreferences, variables: savePreferencesVariables },
  { query: syncPages },
  { query: follow },
  { query: health },
  { query: node, variables: nodeVariables },
];
