# A NixOS module: fantail in the place of Dovecot's stats process.
#
#   imports = [ ./fantail.nix ];
#   services.fantail = {
#     enable = true;
#     package = pkgs.callPackage ./package.nix { };
#     metrics = "metric logins { filter = event=auth_request_finished AND success=yes }";
#   };
{ config, lib, pkgs, ... }:

let
  cfg = config.services.fantail;
  # Dovecot leaves its stats sockets to fantail.
  block = ''
    service stats {
      unix_listener stats-writer {
        mode = 0
      }
      unix_listener login/stats-writer {
        mode = 0
      }
      unix_listener stats-reader {
        mode = 0
      }
    }
  '';
  configuration = pkgs.writeText "fantail.conf" ''
    !include ${cfg.dovecotConfiguration}
    ${lib.optionalString (cfg.port != null) ''
      service stats {
        inet_listener http {
          port = ${toString cfg.port}
        }
      }
    ''}
    ${cfg.metrics}
  '';
in
{
  options.services.fantail = {
    enable = lib.mkEnableOption "fantail, statistics and exports of Dovecot's events";

    package = lib.mkOption {
      type = lib.types.package;
      description = "The package with the program.";
    };

    dovecotConfiguration = lib.mkOption {
      type = lib.types.str;
      default = "/etc/dovecot/dovecot.conf";
      description = "The configuration of Dovecot, which fantail includes.";
    };

    dovecotUnit = lib.mkOption {
      type = lib.types.str;
      default = "dovecot2.service";
      example = "dovecot.service";
      description = "The unit of Dovecot, before which fantail starts.";
    };

    port = lib.mkOption {
      type = lib.types.nullOr lib.types.port;
      default = 9900;
      description = "The port for Prometheus on 127.0.0.1, or null for none.";
    };

    metrics = lib.mkOption {
      type = lib.types.lines;
      default = "";
      description = "Metrics and exporters that only fantail reads.";
    };
  };

  config = lib.mkIf cfg.enable {
    environment.systemPackages = [ cfg.package ];
    environment.etc."fantail/fantail.conf".source = configuration;

    services.dovecot2.extraConfig = block;

    # The unit of the repository, with the paths of this system.
    systemd.packages = [
      (pkgs.runCommand "fantail-unit" { } ''
        mkdir -p $out/lib/systemd/system
        sed -e 's#^\(Exec[A-Za-z]*\)=fantail #\1=${cfg.package}/bin/fantail #' \
          -e 's|dovecot\.service|${cfg.dovecotUnit}|' \
          ${../systemd/fantail.service} > $out/lib/systemd/system/fantail.service
      '')
    ];
    systemd.services.fantail = {
      wantedBy = [ cfg.dovecotUnit ];
      restartTriggers = [ configuration ];
    };
  };
}
