process.env['TSCC_TEST_MODE'] = 'pump';
await import('../diagnostics.test.js');
