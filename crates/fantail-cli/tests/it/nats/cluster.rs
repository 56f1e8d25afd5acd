//! Three servers that each keep the stream, killed one after another.

use fantail_testkit::NatsServer;

use super::{Aggregate, Scraper, each_server, publishing};
use crate::fleet::hosts::GROUPED;

#[test]
fn counts_outlive_each_server_of_a_cluster() {
    each_server(|program, folder| {
        let mut brokers: [NatsServer; 3] = NatsServer::cluster(program, folder);
        let urls: Vec<String> = brokers.iter().map(NatsServer::url).collect();
        let urls = urls.join(",");
        let aggregate = Aggregate::start_with(&urls, &["--replicas", "3"]);
        let host = publishing(GROUPED, &urls, "mail1", &[]);
        let mut scraper = Scraper::default();
        host.login(&[("anna", 1)]);
        scraper.wait_for(&aggregate, &[("logins", 1), ("logins_anna", 1)]);
        let mut events = 1;
        for broker in &mut brokers {
            broker.kill();
            // The two others are a majority, which goes on.
            host.login(&[("anna", 2)]);
            events += 2;
            scraper.wait_for(&aggregate, &[("logins", events), ("logins_anna", events)]);
            broker.restart();
        }
        // All at once: what was acknowledged is on the disks.
        brokers.iter_mut().for_each(NatsServer::kill);
        host.login(&[("anna", 1)]);
        brokers.iter_mut().for_each(NatsServer::restart);
        events += 1;
        let sum = [("logins", events), ("logins_anna", events)];
        scraper.wait_for(&aggregate, &sum);
        scraper.wait_for(&Aggregate::start(&urls), &sum);
    });
}
