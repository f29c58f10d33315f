process.env['TSCC_TEST_MODE'] = 'pump';
await import('../odd-inputs.test.js');
