import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: '../schema.graphql',
  documents: ['src/*.ts'],
  emitLegacyCommonJSImports: false,
  generates: {
    'src/gql/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false, persistedDocuments: true },
      config: {
        strictScalars: true,
        scalars: { DateTime: 'string', URL: 'string' },
        useTypeImports: true,
        enumsAsTypes: true,
      },
    },
    'src/gql/possible-types.ts': { plugins: ['fragment-matcher'] },
  },
};

export default config;
