process.env['TSCC_TEST_MODE'] = 'pump';
await import('../side-outputs.test.js');
